"""What is chosen in which order, on memory by a formula."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from nnunet_vit.config.yaml_source import yaml_of
from nnunet_vit.errors import ConfigError
from nnunet_vit.planning.choice import Chooser
from nnunet_vit.planning.dataset_size import DatasetSize
from nnunet_vit.planning.memory_limit import MemoryLimit
from nnunet_vit.planning.meter import Step
from nnunet_vit.planning.open_keys import SIZE, TUNING, GivenRun, variants_of
from nnunet_vit.planning.patch_candidates import tokens_of
from nnunet_vit.planning.what_would_fit import nothing_fits
from nnunet_vit.profiling.cost import StepCost

pytestmark = pytest.mark.unit

MANY = DatasetSize((2000, 2000), 1000, 1000)
NETWORK = {"large": 5000, "base": 1500, "small_plus": 700, "small": 400}  # trained as a whole
PER_TOKEN = {"large": 1.2, "base": 0.5, "small_plus": 0.4, "small": 0.25}


@dataclass
class Formula:
    """Stands for a Meter: a network, and so much for each token; a tenth when computed again."""

    asked: list = field(default_factory=list)

    def vit_patch(self, variant):
        return 16

    def step(self, variant, tile, checkpointing):
        self.asked.append((tile, checkpointing))
        size = variant.run.model.size_name
        network = NETWORK[size] * (0.3 if variant.run.model.tuning == "lora" else 1)
        share = 0.1 if checkpointing else 1
        tokens = tokens_of(tile.size, 16) * tile.batch
        return Step(
            tile, {"all": int(network + share * PER_TOKEN[size] * tokens)}, StepCost(*[0] * 8)
        )


def given_run(text):
    return GivenRun(yaml_of(text, "run.yaml"), Path("run.yaml"))


def chosen(text, usable, size=MANY):
    given = given_run(text)
    free = given.open_keys()
    chooser = Chooser(Formula(), size, free, usable)
    return chooser.choose(list(variants_of(given, free))), chooser, given


OPEN = "model: {head: linear}\n"
FIXED = "model: {head: linear, backbone_size: large, tuning: full}\n"


@pytest.mark.parametrize(
    ("usable", "size", "batch", "checkpointing", "changes"),
    [
        (50_000, (640, 640), 10, False, {}),  # 16384 tokens
        (15_000, (640, 640), 5, False, {}),  # a fair batch
        (14_000, (640, 640), 10, True, {}),  # 4 without checkpointing are not fair
        (5_500, (640, 640), 2, True, {}),
        (5_300, (512, 592), 2, True, {}),  # 1200 tokens: 5288
        (3_600, (640, 640), 10, True, {TUNING: "lora"}),
        (1_750, (480, 480), 2, True, {TUNING: "lora"}),  # 900 tokens
        (1_700, (640, 640), 2, True, {SIZE: "base"}),
    ],
)
def test_the_order_of_means(usable, size, batch, checkpointing, changes):
    choice, _, _ = chosen(OPEN, usable)
    step = choice.step
    assert step.total <= usable
    assert (choice.checkpointing, choice.variant.changes) == (checkpointing, changes)
    assert step.tile.batch == batch
    assert tokens_of(step.tile.size, 16) == pytest.approx(tokens_of(size, 16), rel=0.02)


def test_small_patches_are_the_last_resort_of_what_is_fixed():
    choice, chooser, _ = chosen(FIXED, 5_062)
    assert choice.step.tile.size == (256, 256)
    tokens = [tokens_of(tile.size, 16) for tile, _ in chooser.meter.asked]
    assert tokens == sorted(tokens, reverse=True)


def test_what_the_run_file_gives_is_kept():
    text = FIXED + "train: {patch_size: [320, 480], batch_size: 3, gradient_checkpointing: false}\n"
    choice, chooser, _ = chosen(text, 50_000)
    assert (choice.step.tile.size, choice.step.tile.batch) == ((320, 480), 3)
    assert not choice.checkpointing
    assert {again for _, again in chooser.meter.asked} == {False}


def test_parts_of_a_batch_that_the_run_file_asks_for_are_kept():
    choice, _, _ = chosen(FIXED + "train: {gradient_accumulation: 6}\n", 5_000 + 0.12 * 6 * 1300)
    assert choice.step.tile.batch >= 6


@pytest.mark.parametrize(
    ("text", "usable", "fix"),
    [
        ("train: {batch_size: 64}\n", 6_000, "leave train.batch_size to the planner: "),
        (
            "train: {gradient_checkpointing: false}\n",
            5_150,
            "leave train.gradient_checkpointing to the planner: ",
        ),
        ("train: {patch_size: [1600, 1600]}\n", 5_500, "leave train.patch_size to the planner: "),
        ("", 3_600, "leave model.tuning to the planner: model.tuning lora, "),
        ("", 20, "or a smaller backbone."),
    ],
)
def test_what_would_fit(text, usable, fix):
    choice, chooser, given = chosen(FIXED + text, usable)
    assert choice is None
    error = nothing_fits(given, chooser, MemoryLimit(usable, "cpu", "a CPU"))
    assert isinstance(error, ConfigError)
    assert fix in error.fix and "a device with " in error.fix
    assert "a CPU is too small for this run" in error.problem


@pytest.mark.parametrize(
    ("text", "sizes", "methods"),
    [
        (OPEN, ["large", "base", "small_plus", "small"], ["full", "lora"]),
        ("model: {head: linear, tuning: frozen}\n", 4, ["frozen"]),
        ("model: {head: linear, freeze_backbone: true}\n", 4, ["frozen"]),
        ("model: {head: linear, backbone: dinov2, tuning: lora}\n", ["large", "base", "small"], 1),
        ("model: {head: linear, backbone: visionfm, pretrained: false}\n", 1, ["full"]),
        ("model: {head: linear, pretrained: false}\n", 4, ["full"]),  # LoRA would keep them random
        ("model: {head: linear, backbone: 'timm:vit_tiny_patch16_224'}\n", [None], 2),
        (FIXED, ["large"], ["full"]),
    ],
)
def test_what_is_open(text, sizes, methods):
    given = given_run(text)
    found = [variant.run.model for variant in variants_of(given, given.open_keys())]
    for wanted, names in (
        (sizes, [model.size_name for model in found]),
        (methods, [model.tuning for model in found]),
    ):
        there = list(dict.fromkeys(names))
        assert there == wanted if isinstance(wanted, list) else len(there) == wanted
