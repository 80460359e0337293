"""What a plan gives up for its hours: the backbone's training, then the batch, then the size."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from measured_steps import run_of

from nnunet_vit.config.yaml_source import YamlSource
from nnunet_vit.planning.batch_rule import LEAST
from nnunet_vit.planning.dataset_size import DatasetSize
from nnunet_vit.planning.haste import STEPS_OF_HEAD, UNHURRIED, Haste, hastened
from nnunet_vit.planning.length import STEPS_LEAST, USED, length_for
from nnunet_vit.planning.memory_limit import MemoryLimit
from nnunet_vit.planning.open_keys import (
    BATCH,
    EPOCHS,
    ITERATIONS,
    SIZE,
    TUNING,
    VALIDATIONS,
    GivenRun,
    OpenKeys,
)
from nnunet_vit.planning.pace import Pace, Turn
from nnunet_vit.planning.plan_run import Plan

pytestmark = pytest.mark.unit

TURN = Turn(1.0, 0.0, 4, 8, shared=False)
PACE = Pace(TURN, TURN, saving=0.0, tiles=0.0, cases=0, steps=2, peak=None)
ENOUGH = 2 * STEPS_LEAST  # with their validation steps
ALL = (EPOCHS, ITERATIONS, VALIDATIONS, TUNING, BATCH, SIZE)


def plan_of(*free, batch=8, haste=UNHURRIED, **model):
    """Return a plan whose step takes a second, with these keys left open."""
    run = run_of(**model)
    step = SimpleNamespace(tile=SimpleNamespace(batch=batch))
    bounds = SimpleNamespace(least=max(LEAST, run.train.gradient_accumulation))
    choice = SimpleNamespace(variant=SimpleNamespace(run=run), step=step, bounds=bounds)
    return Plan("Dataset001_X", DatasetSize((9, 9), 1, 1), MemoryLimit(1, "cpu", "a CPU"),
                OpenKeys(frozenset(free)), run, choice, "float32", {}, haste=haste)  # fmt: skip


def given_up(plan, steps, allows=lambda changes: True):
    """Return what the plan gives up where its hours hold so many steps."""
    return hastened(plan, PACE, (steps + 0.5 + PACE.around) / USED / 3600, allows=allows)


@pytest.mark.parametrize(("steps", "gives"), [(STEPS_OF_HEAD - 1, True), (STEPS_OF_HEAD, False)])
def test_few_steps_freeze_the_backbone(steps, gives):
    found = given_up(plan_of(*ALL), steps)
    assert (found is not None) is gives
    if gives:
        assert found.changes == {TUNING: "frozen"}
        assert f"hold {steps} steps of 'full'" in found.reasons[TUNING]


def test_a_run_that_may_not_be_frozen_gives_up_images():
    given = GivenRun(YamlSource({"train": {"backbone_lr": 0.0001}}), Path("run.yaml"))
    assert TUNING in given.open_keys()
    assert given.allows({}) and not given.allows({TUNING: "frozen"})
    assert given_up(plan_of(*ALL), 300, given.allows) is None
    assert given_up(plan_of(*ALL), 50, given.allows).changes == {BATCH: "4"}


def test_random_weights_are_not_frozen():
    assert given_up(plan_of(*ALL, pretrained=False), ENOUGH) is None


def test_a_head_with_a_backbone_of_its_own_is_not_frozen(tmp_path, monkeypatch):
    (tmp_path / "own_net.py").write_text("def create_segmentation_model(num_classes, **more): ...")
    monkeypatch.syspath_prepend(tmp_path)
    assert given_up(plan_of(*ALL, head=None, model_path="own_net"), ENOUGH) is None


@pytest.mark.parametrize("head", ["eomt", "primus"])
def test_a_head_that_wants_a_trained_backbone_gets_one(head):
    assert given_up(plan_of(*ALL, head=head), ENOUGH) is None
    assert given_up(plan_of(*ALL, head="linear"), ENOUGH).changes == {TUNING: "frozen"}


@pytest.mark.parametrize("keys", [(), (EPOCHS,), (TUNING, BATCH, SIZE)])
def test_what_is_given_is_kept(keys):
    assert given_up(plan_of(*keys), 3) is None


FEWER = [(STEPS_OF_HEAD - 1, 4), (STEPS_OF_HEAD // 2, 4), (STEPS_OF_HEAD // 3, 2), (1, LEAST)]


@pytest.mark.parametrize(("steps", "batch"), FEWER)
def test_fewer_images_give_a_head_more_steps(steps, batch):
    before = Haste({TUNING: "frozen"}, {TUNING: "why"})
    found = given_up(plan_of(*ALL, haste=before, tuning="frozen"), steps)
    assert found.changes == {TUNING: "frozen", BATCH: str(batch)}
    assert found.reasons[BATCH].endswith(f"hold {steps} steps of 8 images")


@pytest.mark.parametrize(("steps", "batch"), [(STEPS_LEAST // 2, 4), (1, LEAST), (99, 4)])
def test_fewer_images_make_a_training_of_random_weights(steps, batch):
    found = given_up(plan_of(*ALL, pretrained=False), steps)
    assert found.changes == {BATCH: str(batch)}


def test_a_batch_keeps_an_image_for_each_of_its_parts():
    plan = plan_of(*ALL, tuning="frozen", train={"gradient_accumulation": 6})
    assert given_up(plan, 10).changes == {BATCH: "6"}


def test_enough_steps_of_the_head_are_kept():
    assert given_up(plan_of(*ALL, tuning="frozen"), STEPS_OF_HEAD) is None
    assert given_up(plan_of(*ALL, tuning="frozen", batch=LEAST), ENOUGH) is None


def test_the_smallest_batch_makes_the_backbone_smaller():
    plan = plan_of(*ALL, batch=LEAST, tuning="frozen", backbone="dinov2", backbone_size="base")
    assert given_up(plan, 3).changes == {SIZE: "small"}


def test_the_smallest_backbone_is_the_end():
    plan = plan_of(*ALL, batch=LEAST, tuning="frozen", backbone="dinov2", backbone_size="small")
    assert given_up(plan, 3) is None


def test_no_time_for_a_step_gives_nothing_up():
    assert given_up(plan_of(*ALL), 0) is None


@pytest.mark.parametrize("train", [{}, {"num_val_iterations_per_epoch": 50}, {"num_epochs": 200}])
def test_what_is_refused_is_refused_with_nothing_left_to_give(train):
    """More hours never fail where fewer do not."""
    given = {f"train.{key}" for key in train}
    plan = plan_of(*(set(ALL) - given), tuning="frozen", train=train)
    for steps in range(1, 400, 7):
        hours = (steps + 0.5 + PACE.around) / USED / 3600
        if given_up(plan, steps) is None:
            assert length_for(hours, PACE, plan.given.train, free=plan.free).seconds > 0
