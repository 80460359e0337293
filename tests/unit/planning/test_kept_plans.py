"""Plans that are kept: under which name, and what of them comes back."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from nnunet_vit.errors import DataError
from nnunet_vit.planning.dataset_size import DatasetSize
from nnunet_vit.planning.kept_plans import (
    AGAIN,
    KeptPlan,
    PlannedData,
    PlannedMemory,
    file_of,
    keep,
    kept_plans,
)
from nnunet_vit.planning.memory_limit import MemoryLimit
from nnunet_vit.planning.open_keys import GivenRun
from nnunet_vit.planning.reasons import Planned

pytestmark = pytest.mark.unit

SMALL, LARGE = DatasetSize((64, 96), 6, 6), DatasetSize((512, 512), 300, 9000)
MODEL = ("model.head=linear", "model.backbone=timm:test_vit", "model.pretrained=false")
KEYS = {"train.patch_size", "train.batch_size", "train.gradient_checkpointing"}
BEFORE = "linear-timm_test_vit-"


def plan(size=SMALL, batch=2):
    values = (
        Planned("train.patch_size", [64, 96], "why: 24 tokens"),
        Planned("train.batch_size", batch, "why"),
        Planned("train.gradient_checkpointing", False, "not needed"),
    )
    return KeptPlan(values, PlannedData(size, 3, 2), PlannedMemory("a GPU", 1000, 500))


def name_of(*words):
    given = GivenRun.of(None, MODEL).with_words(words)
    return file_of(Path(), given.run(), given.open_keys()).name


def test_a_plan_comes_back_as_it_was(tmp_path):
    path = tmp_path / "a.planned.json"
    assert kept_plans(path, KEYS) == []
    keep(path, plan(), KEYS)
    keep(path, plan(LARGE, 16), KEYS)
    assert kept_plans(path, KEYS) == [plan(), plan(LARGE, 16)]
    keep(path, plan(SMALL, 4), KEYS)  # once for the same sizes, the newest last
    assert kept_plans(path, KEYS) == [plan(LARGE, 16), plan(SMALL, 4)]


def test_plans_of_other_channels_or_outputs_stay(tmp_path):
    path = tmp_path / "new/a.planned.json"
    plans = [
        replace(plan(), data=PlannedData(SMALL, *numbers)) for numbers in ((3, 2), (1, 2), (3, 5))
    ]
    restored = [replace(plan(batch=batch), data=None, memory=None) for batch in (2, 3, 2)]
    for each in (*plans, *restored):
        keep(path, each, KEYS)
    assert kept_plans(path, KEYS) == [*plans, *restored[1:]]


@pytest.mark.parametrize("keys", [KEYS - {"train.batch_size"}, KEYS | {"model.tuning"}, set()])
def test_a_plan_of_other_keys_is_refused(tmp_path, keys):
    path = tmp_path / "a.planned.json"
    keep(path, plan(), KEYS)
    with pytest.raises(DataError, match=r"plans train.patch_size, .*; this run") as error:
        kept_plans(path, keys)
    assert str(path) in error.value.problem
    assert error.value.fix == AGAIN


def test_the_memory_of_another_device_is_told():
    gpu = MemoryLimit(9 * 10**9, "cuda", "A100")
    memory = PlannedMemory.of(gpu, 500)
    assert memory.device == "A100"
    assert memory.is_of(replace(gpu, total=1))
    assert not memory.is_of(replace(gpu, name="one of 2 shares of A100"))
    assert not memory.is_of(MemoryLimit(9 * 10**9, "cpu", "A100"))


@pytest.mark.parametrize(
    ("words", "start"),
    [
        ((), "linear-dinov3-"),
        (("model.tuning=lora",), "linear-dinov3-lora-"),
        (("model.backbone_size=base",), "linear-dinov3-base-"),
        (("model.backbone_size=base", "model.tuning=lora"), "linear-dinov3-base-lora-"),
    ],
)
def test_its_name_leaves_out_what_is_open(words, start):
    name = name_of("model.backbone=dinov3", *words).removesuffix(".planned.json")
    assert name.removesuffix(name[-8:]) == start


def test_its_values_are_overrides_of_a_run():
    words = [value.word for value in plan().values]
    train = GivenRun.of(None, [*MODEL, "train.batch_size=null"]).with_words(words).run().train
    assert (train.patch_size, train.batch_size) == ([64, 96], 2)
    assert not train.gradient_checkpointing


@pytest.mark.parametrize(
    "words",
    [
        ("data.fold=3",),
        ("data.fold=[0, 1]",),
        ("train.num_epochs=5", "train.patience=3", "train.seed=1"),
        ("train.initial_lr=0.1", "train.augmentation=none"),
        ("train.patch_size=null",),
        ("paths.results=elsewhere",),
    ],
)
def test_what_changes_no_plan_changes_no_name(words):
    assert name_of(*words) == name_of()
    assert name_of().startswith(BEFORE) and name_of().endswith(".planned.json")


@pytest.mark.parametrize(
    "word",
    [
        "train.batch_size=3",
        "train.patch_size=[64, 64]",
        "train.gradient_accumulation=2",
        "train.gradient_checkpointing=true",
        "train.gradient_checkpointing=false",  # as by default, but no longer open
        "model.precision=auto",
        "model.tuning=full",
        "model.tuning=lora",
        "train.optimizer=sgd",
        "train.ema=0.9",
        "train.loss=focal",
        "data.configuration=2d_large",
        "model.vit_patch_size=8",
    ],
)
def test_what_changes_a_plan_has_a_plan_of_its_own(word):
    assert name_of(word) != name_of()


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("{", "cannot be read as JSON"),
        ("[]", "holds no plans of trainings"),
        ('{"schema": 1, "plans": [{"size": 3}]}', "holds no plans of trainings"),
        ('{"schema": 2, "nnunet_vit": "9"}', r"was written by a newer nnunet-vit \(9\)"),
    ],
)
def test_a_damaged_file_says_what_to_do(tmp_path, content, text):
    path = tmp_path / "a.planned.json"
    path.write_text(content)
    with pytest.raises(DataError, match=text) as caught:
        kept_plans(path, KEYS)
    assert "delete it" in caught.value.fix


def test_what_a_later_version_adds_to_a_plan_is_left_out(tmp_path):
    path = tmp_path / "a.planned.json"
    keep(path, plan(), KEYS)
    content = json.loads(path.read_text())
    content["plans"][0]["hours"] = 3
    path.write_text(json.dumps(content))
    assert kept_plans(path, KEYS) == [plan()]
