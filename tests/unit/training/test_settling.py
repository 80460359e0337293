"""Which plan a run takes: a kept one, a new one, or nnU-Net's values of a run of before."""

import json
from types import SimpleNamespace

import pytest

from nnunet_vit.data.preprocessing.refusals import Asked
from nnunet_vit.errors import ConfigError, Stopped
from nnunet_vit.nnunet.plans import KEY
from nnunet_vit.nnunet.run_names import plans_name
from nnunet_vit.planning import plan_run
from nnunet_vit.planning.dataset_size import DatasetSize
from nnunet_vit.planning.kept_plans import KeptPlan, PlannedMemory
from nnunet_vit.planning.memory_limit import SOFTWARE, MemoryLimit
from nnunet_vit.planning.meter import UnmeasurableError
from nnunet_vit.planning.open_keys import GivenRun
from nnunet_vit.planning.reasons import Planned
from nnunet_vit.training import settling
from nnunet_vit.training.fold_preparation import Request

pytestmark = pytest.mark.unit

WORDS = ("data.dataset=5", "model.head=linear", "model.backbone=timm:test_vit",
         "model.pretrained=false", "train.num_epochs=2")  # fmt: skip
GB = 10**9
SIZE = DatasetSize((64, 96), 3, 3)


class Planner:
    """Stands for nnU-Net's plans and for the measuring; each plan has one image more."""

    def __init__(self):
        self.size, self.batch, self.calls, self.usable = SIZE, 1, [], 10 * GB
        self.kind = "cpu"

    def sizes_of(self, run, dataset, progress, *, asked, read):
        self.calls.append("nnU-Net plans" + " again" * asked.again)
        return ["schemes"], self.size

    def plan_for(self, given, dataset, schemes, *, size, limit, progress):
        self.calls.append(f"planned for {limit.name}")
        self.batch += 1
        values = (
            Planned("train.patch_size", [64, 96], "why this patch"),
            Planned("train.batch_size", self.batch, "why"),
        )
        others = {"model.precision": "auto", "model.tuning": "full", "model.backbone_size": "small",
                  "train.gradient_checkpointing": False}  # fmt: skip
        free = given.open_keys()
        values += tuple(Planned(key, others[key], "why") for key in others if key in free)
        return SimpleNamespace(values=values, memory=PlannedMemory.of(limit, 5 * GB))

    def limit_here(self, devices):
        software = SOFTWARE if self.kind == "cuda" else 0
        name = f"a {' and a '.join(devices)}"
        return MemoryLimit(self.usable + software, self.kind, name, share=0)

    def check_data(self, dataset, run, asked, *, progress, later):
        self.calls.append(f"checked folds {run.data.folds}")
        return SimpleNamespace(schemes=None, preprocess=False), None

    def check_network(self, dataset, run, fresh, *, progress, schemes):
        self.calls.append("network built" if fresh else "network looked at")


@pytest.fixture
def planner(monkeypatch, write_dataset):
    write_dataset()
    fake = Planner()
    for name in ("sizes_of", "plan_for"):
        monkeypatch.setattr(plan_run, name, getattr(fake, name))
    for name in ("limit_here", "check_data", "check_network"):
        monkeypatch.setattr(settling, name, getattr(fake, name))
    kept = staticmethod(lambda plan, data: KeptPlan(plan.values, data, plan.memory))
    monkeypatch.setattr(settling.KeptPlan, "of", kept)
    return fake


@pytest.fixture
def settled(planner, said):
    """Settle a run of these overrides; return it, with what is left of the request."""

    def settle(*words, request=None, **more):
        given = GivenRun.of(None, WORDS).with_words(words)
        request = request or Request("cpu", given=given)
        return settling.settled(given.run(), request, said, **more)

    def resumed(*words, **more):
        given = GivenRun.of(None, WORDS).with_words(words)
        return settle(*words, request=Request("cpu", given=given, **more))

    settle.with_request = resumed
    return settle


def leave_results(folders, run):
    name = f"nnUNetTrainer_vit__{plans_name(run)}__{run.data.configuration}"
    model = folders / "results/Dataset005_Mine" / name
    (model / "fold_0").mkdir(parents=True)
    (model / "fold_0/run.yaml").touch()
    content = {"run": run.model_dump(mode="json", exclude={"paths"})}
    (model / "plans.json").write_text(json.dumps({KEY: content}))
    return model


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
    with pytest.raises(ConfigError, match="--continue: there is no result of this run in"):
        settled.with_request(resume=True)
    assert planner.calls == []


def test_a_lengthened_run_keeps_its_plan(settled, nnunet_folders):
    first, _ = settled()
    leave_results(nnunet_folders, first)
    run, _ = settled.with_request("train.num_epochs=9", resume=True)
    assert (run.train.batch_size, run.train.num_epochs) == (2, 9)


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


def kept_file(folders):
    (file,) = (folders / "preprocessed/Dataset005_Mine").glob("*.planned.json")
    return file


def test_trained_folds_tell_their_plan_where_it_is_lost(planner, settled, said, nnunet_folders):
    first, _ = settled()
    leave_results(nnunet_folders, settled("train.seed=3", "train.ema=0.5")[0])  # another run
    model = leave_results(nnunet_folders, first)
    for file in (nnunet_folders / "preprocessed/Dataset005_Mine").iterdir():
        file.unlink()
    planner.calls.clear()
    shown, _ = settled("data.fold=1", trains=False)
    assert not list((nnunet_folders / "preprocessed/Dataset005_Mine").iterdir())
    other, _ = settled("data.fold=1")
    assert other.train == shown.train == first.train
    assert f"As planned for the trained folds in {model}: precision auto, " in said.lines[-1]
    assert json.loads(kept_file(nnunet_folders).read_text())["plans"][0]["memory"] is None
    resumed, _ = settled.with_request("data.fold=0", "train.num_epochs=9", resume=True)
    assert (resumed.train.batch_size, resumed.train.num_epochs) == (2, 9)
    assert planner.calls == []


def test_a_lengthened_run_tells_its_plan_too(planner, settled, nnunet_folders):
    leave_results(nnunet_folders, settled()[0])
    kept_file(nnunet_folders).unlink()
    run, _ = settled.with_request("train.num_epochs=9", resume=True)
    assert (run.train.batch_size, run.train.num_epochs) == (2, 9)
    kept_file(nnunet_folders).unlink()
    assert settled("train.num_epochs=9")[0].train.batch_size == 3  # another run, from scratch


def test_another_plan_beside_the_results_does_not_split_them(planner, settled, nnunet_folders):
    first, _ = settled()
    kept_file(nnunet_folders).unlink()
    settled()  # as on a machine with other preprocessed data, with a batch of 3
    leave_results(nnunet_folders, first)
    assert settled("data.fold=1")[0].train.batch_size == 2
    assert settled.with_request(resume=True)[0].train.batch_size == 2


def test_results_with_different_plans_are_not_chosen_from(planner, settled, nnunet_folders):
    models = []
    for _ in range(2):
        models.append(settled()[0])
        kept_file(nnunet_folders).unlink()
    files = [leave_results(nnunet_folders, each) / "fold_0/run.yaml" for each in models]
    with pytest.raises(ConfigError, match="was trained with different plans") as caught:
        settled("data.fold=1")
    assert all(str(file) in caught.value.problem for file in files)
    assert "--config" in caught.value.fix
    assert len(planner.calls) == 8  # of the two plans


def test_results_of_other_runs_are_no_plans(planner, settled, nnunet_folders):
    given = GivenRun.of(None, WORDS)
    by_hand = ["train.patch_size=[32, 32]", "train.batch_size=7"]
    for other in ("train.initial_lr=0.1", "model.tuning=frozen", "train.num_epochs=1"):
        leave_results(nnunet_folders, given.with_words([*by_hand, other]).run())
    broken = nnunet_folders / "results/Dataset005_Mine/nnUNetTrainer_vit__a__2d"
    broken.mkdir()
    (broken / "plans.json").write_text("{")
    assert settled()[0].train.batch_size == 2
