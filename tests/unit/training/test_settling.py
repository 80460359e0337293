"""Which plan a run takes: a kept one, a new one, or nnU-Net's values of a run of before."""

import json

import pytest
from settled_runs import GB, SIZE, WORDS, kept_file, leave_results

from nnunet_vit.data.preprocessing.refusals import Asked
from nnunet_vit.errors import ConfigError, Stopped
from nnunet_vit.planning import plan_run
from nnunet_vit.planning.dataset_size import DatasetSize
from nnunet_vit.planning.meter import UnmeasurableError
from nnunet_vit.planning.open_keys import GivenRun
from nnunet_vit.training import settling

pytestmark = pytest.mark.unit


def test_what_is_given_is_neither_planned_nor_measured(planner, settled):
    run, _ = settled("train.patch_size=[32, 32]", "train.batch_size=7")
    assert (run.train.patch_size, run.train.batch_size) == ([32, 32], 7)
    assert planner.calls == []


def test_cheap_checks_come_before_the_plan(planner, settled, said, nnunet_folders):
    run, request = settled("data.fold=[0, 1]")
    assert (run.train.patch_size, run.train.batch_size) == ([64, 96], 2)
    assert planner.calls == [
        "checked folds [0, 1]", "network built", "nnU-Net plans", "planned for a cpu",
    ]  # fmt: skip
    (file,) = (nnunet_folders / "preprocessed/Dataset005_Mine").glob("*.planned.json")
    assert json.loads(file.read_text())["plans"][0]["memory"]["device"] == "cpu"
    assert said.lines == [
        "Planned for a cpu: a step takes 5.00 GB of 10.00 GB.",
        "  train.patch_size [64, 96]: why this patch",
        "  train.batch_size 2: why",
        "  model.precision auto: why",
        "  model.tuning full: why",
        "  train.gradient_checkpointing false: why",
        f"The run keeps this plan, in {file}; until a fold is trained, deleting that file plans "
        "again. Trained folds stay with their plan, and later ones take it from them.",
    ]
    assert request.has_tried(run)


def test_another_fold_takes_the_same_plan(planner, settled, said, nnunet_folders):
    first, _ = settled()
    model = leave_results(nnunet_folders, first)
    planner.calls.clear()
    other, _ = settled("data.fold=1", "train.seed=null")
    assert (other.train, other.data.fold) == (first.train, 1)
    assert planner.calls == []  # nor does nnU-Net plan
    before = "As planned before for cpu, 10.00 GB for a step: patch_size [64, 96], batch_size 2, "
    assert said.lines[-1].startswith(before)
    assert f" To plan again, move {model} away and delete " in said.lines[-1]


def test_a_plan_without_results_is_kept_for_the_same_data_alone(planner, settled):
    assert settled()[0].train.batch_size == 2
    assert settled("train.seed=3")[0].train.batch_size == 2
    planner.size = DatasetSize((64, 96), 4, 4)  # a case more, planned again
    assert settled()[0].train.batch_size == 3
    planner.size = SIZE
    assert settled()[0].train.batch_size == 2


def test_a_run_with_results_keeps_its_plan_whatever_the_data(planner, settled, nnunet_folders):
    first, _ = settled()
    leave_results(nnunet_folders, first)
    planner.size = DatasetSize((64, 96), 4, 4)
    assert settled("train.seed=3")[0].train.batch_size == 3  # another run, without results
    run, request = settled.with_request("data.fold=1", asked=Asked(again=True))
    assert run.train.batch_size == 2
    assert request.asked.again  # what comes next still does it


def test_a_smaller_device_is_warned_of_and_plans_nothing(planner, settled, said, nnunet_folders):
    leave_results(nnunet_folders, settled()[0])
    said.warn = said.log
    planner.usable = 4 * GB
    run, _ = settled(devices=("cuda:0", "cuda:1"))
    assert run.train.batch_size == 2
    assert said.lines[-1] == (
        "that plan's step takes 5.00 GB; on a cuda:0 and a cuda:1 it may take 4.00 GB."
    )


def test_a_run_of_before_keeps_nnunets_values(planner, settled, said, nnunet_folders):
    given = GivenRun.of(None, WORDS).run()
    leave_results(nnunet_folders, given)
    for more in ({"resume": True}, {"overwrite": True}, {}):
        run, _ = settled.with_request("data.fold=2", **more)
        assert (run.train.patch_size, run.train.batch_size) == (None, None)
    assert planner.calls == []
    assert "was begun with nnU-Net's patch and batch size, which it keeps." in said.lines[-1]
    assert settled("train.seed=1")[0].train.batch_size == 2  # another run


def test_nothing_to_continue_is_said_before_any_work(planner, settled):
    with pytest.raises(ConfigError, match=r"there is no result of this run in .*, nor a plan"):
        settled.with_request(resume=True)
    assert planner.calls == []


def test_a_lengthened_run_keeps_its_plan(settled, nnunet_folders):
    first, _ = settled()
    leave_results(nnunet_folders, first)
    run, _ = settled.with_request("train.num_epochs=9", resume=True)
    assert (run.train.batch_size, run.train.num_epochs) == (2, 9)


def test_what_is_there_without_results_is_said(settled, nnunet_folders):
    settled()
    with pytest.raises(ConfigError, match="only a plan of it") as caught:
        settled.with_request(resume=True)
    assert str(kept_file(nnunet_folders)) in caught.value.problem


def test_planning_again_is_done_once(planner, settled):
    _, request = settled.with_request(asked=Asked(again=True))
    assert "nnU-Net plans again" in planner.calls
    assert not request.asked.again


def test_a_picture_of_a_batch_builds_no_network(planner, settled):
    run, request = settled(trains=False)
    assert "network looked at" in planner.calls
    assert not request.has_tried(run)


def test_a_backbone_whose_size_is_open_is_built_when_it_is_known(planner, settled, monkeypatch):
    asked = []
    monkeypatch.setattr(settling, "require_weights", asked.append)
    run, request = settled("model.backbone=dinov3")
    assert [each.model.size_name for each in asked] == ["large"]
    assert "network looked at" in planner.calls
    assert not request.has_tried(run)


def test_a_stop_says_that_nothing_is_saved(planner, settled, monkeypatch):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(plan_run, "plan_for", stopped)
    with pytest.raises(Stopped, match="Nothing of this run is saved yet"):
        settled()


def test_a_head_that_cannot_be_measured_gets_nnunets_values(settled, planner, said, monkeypatch):
    def unmeasurable(*_, **__):
        raise UnmeasurableError("The memory of linear cannot be measured.", fix="give both.")

    monkeypatch.setattr(plan_run, "plan_for", unmeasurable)
    warnings = []
    monkeypatch.setattr(said, "warn", warnings.append)
    run, left = settled()
    assert (run.train.patch_size, run.train.batch_size) == (None, None)
    assert not left.asked.again
    assert warnings == [
        "The memory of linear cannot be measured. It gets nnU-Net's patch and batch size."
    ]
