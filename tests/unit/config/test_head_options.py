"""model.decoder: validated by the head's own model, stored whole, and accepted again."""

import json

import pytest

from nnunet_vit.config.head_options import decoder_options
from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.errors import ConfigError, PluginError

pytestmark = pytest.mark.unit

HEAD = """
from typing import Any
from pydantic import Field, model_validator
from nnunet_vit.hookspecs import HeadOptions, hookimpl

class Options(HeadOptions):
{fields}

@hookimpl
def head_options(): {body}

@hookimpl
def create_segmentation_model(num_classes, options): ...
"""


@pytest.fixture
def head_with(fake_head):
    """`head_with(fields)` installs the head `mine`, whose options have these fields."""

    def install(*fields, body="return Options"):
        lines = "\n".join(f"    {line}" for field in fields for line in field.splitlines())
        fake_head("mine", HEAD.format(fields=lines or "    pass", body=body), "mine-head")

    return install


def _stored(run):
    return ViTnnUNetConfig.model_validate(json.loads(json.dumps(run.model_dump(mode="json"))))


def test_defaults_are_stored_and_hidden_size_only_if_the_head_has_it(run_of):
    run = run_of("model: {head: tiny, decoder: {dropout: 0}}\n")
    assert run.model.decoder.model_dump() == {"dropout": 0.0, "channels": [8, 4]}
    assert run.model.decoder.hidden_size == 256


def test_a_head_without_options_takes_hidden_size_alone(run_of, faults_of):
    assert run_of("model: {decoder: {}}\n").model.decoder.model_dump() == {"hidden_size": 256}
    assert faults_of("model:\n  decoder:\n    hidden_size: 0\n    dropout: 0\n") == (
        "run.yaml: 2 problems\n"
        "  line 3, model.decoder.hidden_size: given 0; allowed: an integer from 1 to 8192\n"
        "  line 4, model.decoder.dropout: unknown key, given 'dropout'. Allowed: hidden_size"
    )


def test_the_heads_own_bounds_hold(faults_of):
    text = (
        "model:\n  head: tiny\n  decoder:\n    dropout: 1\n    channels: []\n    hidden_size: 1\n"
    )
    assert faults_of(text) == (
        "run.yaml: 3 problems\n"
        "  line 4, model.decoder.dropout: given 1; "
        "allowed: a number of at least 0 and less than 1\n"
        "  line 5, model.decoder.channels: given []; "
        "allowed: a list of at least 1 value, each an integer\n"
        "  line 6, model.decoder.hidden_size: unknown key, given 'hidden_size'. "
        "Allowed: dropout, channels"
    )


def test_a_required_option_is_missing_in_the_line_of_its_section(faults_of, head_with):
    head_with("width: int = Field(ge=1)")
    assert faults_of("model:\n  head: mine\n  decoder: {}\n") == (
        "run.yaml, line 3, model.decoder.width: missing; allowed: an integer of at least 1"
    )


def test_a_required_option_that_yaml_refused_is_one_problem(faults_of, head_with):
    head_with("width: int")
    assert faults_of("model:\n  head: mine\n  decoder:\n    width: 012\n") == (
        "run.yaml, line 4, model.decoder.width: given 012; "
        "allowed: a decimal number without leading zeros, or a string in quotes"
    )


def test_a_rule_between_options(faults_of, head_with):
    head_with(
        "low: int = 1",
        "high: int = 2",
        "@model_validator(mode='after')\ndef _order(self):\n"
        "    if self.low > self.high: raise ValueError('low must not exceed high')\n"
        "    return self",
    )
    assert faults_of("model:\n  head: mine\n  decoder: {low: 3}\n") == (
        "run.yaml, line 3, model.decoder: given {'low': 3}; low must not exceed high"
    )


def test_a_hidden_size_of_another_type(faults_of, head_with):
    head_with("hidden_size: list[int] = [1, 2]")
    assert faults_of("model:\n  head: mine\n  decoder: {}\n") == (
        "run.yaml, line 3, model.decoder.hidden_size: given [1, 2]; "
        "allowed: an integer from 1 to 8192"
    )


def test_without_its_head_only_what_all_share_is_judged(faults_of):
    text = "model:\n  head: 5\n  decoder:\n    dropout: 9\n    hidden_size: x\n"
    assert faults_of(text) == (
        "run.yaml: 2 problems\n"
        "  line 2, model.head: given 5; allowed: a string, or null\n"
        "  line 5, model.decoder.hidden_size: given 'x'; allowed: an integer from 1 to 8192"
    )


@pytest.mark.parametrize(
    ("fields", "body", "text"),
    [
        (
            (),
            "return 5",
            "head_options returned 5; allowed: a subclass of nnunet_vit.hookspecs.HeadOptions.",
        ),
        (
            (),
            "raise RuntimeError('no')",
            "head_options failed: RuntimeError: no. "
            "Fix: install what it misses, fix it, upgrade it or uninstall it.",
        ),
        (
            ("@model_validator(mode='before')\n@classmethod\ndef _f(cls, value): return 1 / 0",),
            "return Options",
            "its options failed: ZeroDivisionError: division by zero. "
            "Fix: install what it misses, fix it, upgrade it or uninstall it.",
        ),
    ],
)
def test_a_head_whose_options_are_broken(run_of, faults_of, head_with, fields, body, text):
    head_with(*fields, body=body)
    with pytest.raises(PluginError) as caught:
        run_of("model: {head: mine}\n")
    assert str(caught.value) == f"Plugin 'mine' (mine-head 1.0): {text}"


@pytest.mark.parametrize("decoder", ["{}", "{channels: [3]}"])
def test_what_was_stored_is_accepted_again(run_of, decoder):
    run = run_of(f"model: {{head: tiny, decoder: {decoder}}}\n")
    stored = _stored(run)
    assert stored == run
    assert decoder_options(stored) == decoder_options(run)
    assert type(decoder_options(stored)).__name__ == "TinyOptions"


def test_a_stored_run_whose_head_has_changed(run_of, fake_head):
    stored = _stored(run_of("model: {head: tiny}\n"))
    stored.model.head = "segformer"
    with pytest.raises(ConfigError) as caught:
        decoder_options(stored)
    assert str(caught.value) == (
        "Plugin 'segformer' (nnunet-vit-segformer 1.0): 2 problems\n"
        "  model.decoder.dropout: unknown key, given 'dropout'. Allowed: hidden_size\n"
        "  model.decoder.channels: unknown key, given 'channels'. Allowed: hidden_size"
    )


def test_a_run_that_was_built_in_python():
    assert decoder_options(ViTnnUNetConfig()).model_dump() == {"hidden_size": 256}
    run = ViTnnUNetConfig.model_validate({"model": {"head": "tiny"}})
    assert decoder_options(run).model_dump() == {"dropout": 0.1, "channels": (8, 4)}
