"""Which settings a benchmark tries."""

from typing import Literal

import pytest
from pydantic import create_model

from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.config.train_section import ViTTrainConfig
from nnunet_vit.training.benchmarking import switches
from nnunet_vit.training.benchmarking.switches import SWITCHES, other_values, switched

pytestmark = pytest.mark.unit
CHECKPOINTING = "train.gradient_checkpointing"


@pytest.fixture(autouse=True)
def settled_keys(monkeypatch):
    """Leave out what other versions add."""
    monkeypatch.setattr(switches, "SWITCHES", ("model.precision", CHECKPOINTING))


def run_of(**model):
    return ViTnnUNetConfig.model_validate({"model": model})


@pytest.mark.parametrize(
    ("precision", "device", "other"),
    [
        ("auto", "cpu", "bfloat16"),
        ("auto", "cuda", "float32"),
        ("float32", "cuda", "bfloat16"),
        ("bfloat16", "cpu", "float32"),
    ],
)
def test_values_that_the_run_does_not_have(precision, device, other):
    found = list(other_values(run_of(precision=precision), device))
    assert found == [("model.precision", other), (CHECKPOINTING, True)]


@pytest.mark.parametrize(
    ("annotation", "now", "others"),
    [
        (Literal["auto", "cpu", "gpu"], "auto", ["cpu", "gpu"]),
        (Literal["auto", "cpu", "gpu"], "gpu", ["cpu"]),
        (bool, True, [False]),
        (bool | Literal["auto"], "auto", [True, False]),
        (bool | None, None, [True, False]),
    ],
)
def test_keys_of_other_versions(monkeypatch, annotation, now, others):
    monkeypatch.setattr(switches, "SWITCHES", ("train.more", "train.unknown"))
    section = create_model("Section", __base__=ViTTrainConfig, more=(annotation, now))
    run = run_of().model_copy(update={"train": section()})
    assert list(other_values(run, "cuda")) == [("train.more", value) for value in others]


@pytest.mark.parametrize("key", SWITCHES)
def test_a_switch_names_a_section(key):
    section, _, name = key.partition(".")
    assert section in ViTnnUNetConfig.model_fields and name.isidentifier()


def test_a_switched_run_is_validated_and_the_first_one_kept():
    run = run_of()
    assert switched(run, CHECKPOINTING, True).train.gradient_checkpointing
    assert not run.train.gradient_checkpointing
    with pytest.raises(ValueError, match="precision"):
        switched(run, "model.precision", "float8")
