"""The fine-tuning method, the older keys beside it, and the rates and batches of the training."""

import pytest

from nnunet_vit.config.notices import notices
from nnunet_vit.tuning import own_methods

pytestmark = pytest.mark.unit

ADAPTED = [name for name, method in own_methods().items() if method.uses_adapters]
PLAIN = [name for name, method in own_methods().items() if not method.uses_adapters]
WITH_ADAPTERS = "allowed: a method with adapters, or lora.enabled: false"


def test_an_unknown_method(faults_of):
    assert faults_of("model:\n  tuning: lorra\n") == (
        "run.yaml, line 2, model.tuning: there is no method 'lorra'. Did you mean 'lora'? "
        f"Methods: {', '.join(own_methods())}."
    )


@pytest.mark.parametrize("name", ADAPTED)
@pytest.mark.parametrize("lora", ["", "{target_modules: [fc1]}", "{enabled: false}"])
def test_a_method_with_adapters_needs_no_section(run_of, name, lora):
    section = f"lora: {lora}\n" if lora else ""
    run = run_of(f"model: {{tuning: {name}}}\n{section}")
    assert (run.model.tuning, run.lora.enabled) == (name, True)
    assert run.lora.target_modules == (["fc1"] if "fc1" in lora else ["qkv"])


@pytest.mark.parametrize("name", ADAPTED)
@pytest.mark.parametrize(("key", "value"), [("r", 4), ("lora_alpha", 2.0), ("lora_dropout", 0.5)])
def test_a_key_that_the_method_does_not_read(run_of, name, key, value):
    text = f"model: {{tuning: {name}}}\nlora:\n  {key}: {value}\n"
    run, reads = run_of(text), own_methods()[name].reads
    assert getattr(run.lora, key) == value
    said = [notice for notice in notices(run) if notice.startswith("lora.")]
    if key in reads:
        assert said == []
    else:
        assert said == [
            f"lora.{key} is {value:g}, which tuning '{name}' does not read; it reads "
            f"{', '.join([*reads, 'target_modules'])}. Leave it out of another run: it is part of "
            "this one's name."
        ]


@pytest.mark.parametrize("name", PLAIN)
def test_a_method_without_adapters_and_a_section_for_them(faults_of, run_of, name):
    text = f"model:\n  tuning: {name}\nlora: {{r: 4}}\n"
    assert faults_of(text) == (
        f"run.yaml, line 2, model.tuning: given '{name}' together with the section lora; "
        f"{WITH_ADAPTERS}"
    )
    assert run_of(f"{text.partition('lora')[0]}lora: {{enabled: false}}\n").model.tuning == name


@pytest.mark.parametrize("name", ["full", "last_blocks"])
def test_a_backbone_that_is_trained_and_frozen(faults_of, name):
    assert faults_of(f"model:\n  freeze_backbone: true\n  tuning: {name}\n") == (
        f"run.yaml, line 2, model.freeze_backbone: given true together with tuning '{name}'; "
        "allowed: one of the two"
    )


@pytest.mark.parametrize("name", ["frozen", "lora"])
def test_a_backbone_that_is_frozen_both_ways(run_of, name):
    assert run_of(f"model: {{freeze_backbone: true, tuning: {name}}}\n").model.tuning == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("lora: {}", "lora"),
        ("lora: {}\nmodel: {freeze_backbone: true}", "lora"),
        ("lora: {enabled: false}\nmodel: {freeze_backbone: true}", "frozen"),
        ("model: {freeze_backbone: true}", "frozen"),
        ("model: {freeze_backbone: false}", "full"),
    ],
)
def test_the_older_keys_name_a_method(run_of, text, name):
    run = run_of(f"{text}\n")
    assert (run.model.tuning, run.lora.enabled) == (name, name == "lora")


def test_the_older_and_the_newer_way_of_writing_are_the_same_run(run_of):
    assert run_of("lora: {}\n") == run_of("model: {tuning: lora}\n")
    assert run_of("model: {freeze_backbone: false}\n") == run_of("model: {tuning: full}\n")


@pytest.mark.parametrize(
    ("text", "targets"),
    [
        ("lora: {}", ["qkv"]),
        ("lora: {}\nmodel: {backbone: visionfm, pretrained: false}", ["qkv"]),
        ("lora: {target_modules: [fc1]}", ["fc1"]),
        ("lora: {}\nmodel: {backbone: timm:vit_tiny_patch16_224}", None),
    ],
)
def test_the_layers_of_adapters(run_of, text, targets):
    assert run_of(f"{text}\n").lora.target_modules == targets


@pytest.mark.parametrize(
    ("key", "value", "default"),
    [("backbone_lr", "0.0001", "'auto', null"), ("layer_decay", "0.8", "1.0")],
)
@pytest.mark.parametrize("frozen", ["tuning: frozen", "freeze_backbone: true"])
def test_rates_of_a_frozen_backbone(faults_of, run_of, key, value, default, frozen):
    train = f"train:\n  {key}: {value}\n"
    assert faults_of(f"{train}model: {{{frozen}}}\n") == (
        f"run.yaml, line 2, train.{key}: given {value} with a frozen backbone; allowed: {default}, "
        "or a model.tuning that trains the backbone"
    )
    for trained in ("full", "last_blocks", "lora"):
        run = run_of(f"{train}model: {{tuning: {trained}}}\n")
        assert getattr(run.train, key) == float(value)


def test_more_parts_of_a_batch_than_images(faults_of, run_of):
    text = "train:\n  batch_size: 3\n  gradient_accumulation: {}\n"
    assert faults_of(text.format(4)) == (
        "run.yaml, line 3, train.gradient_accumulation: given 4 with batch_size 3; "
        "allowed: at most 3, one image per part"
    )
    assert run_of(text.format(3)).train.gradient_accumulation == 3
    assert run_of("train: {gradient_accumulation: 64}\n").train.batch_size is None


@pytest.mark.parametrize(
    ("text", "method"),
    [
        ("model: {head: tiny, pretrained: false, freeze_backbone: true}\n", "frozen"),
        ("model: {head: tiny, pretrained: false}\nlora: {}\n", "lora"),
        ("model: {head: tiny, pretrained: false, tuning: last_blocks}\n", "last_blocks"),
    ],
)
def test_random_weights_that_are_kept_are_warned_of(run_of, text, method):
    assert notices(run_of(text)) == [
        f"model.pretrained is false and tuning '{method}' keeps random weights in the backbone. "
        "Set model.pretrained: true or model.tuning: full."
    ]


@pytest.mark.parametrize(
    "text",
    ["model: {head: tiny, pretrained: false}\n", "model: {head: tiny, freeze_backbone: true}\n"],
)
def test_nothing_is_warned_of_where_weights_are_trained_or_read(run_of, text):
    assert notices(run_of(text)) == []
