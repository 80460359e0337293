"""Plans that are lost or differ from machine to machine: trained folds hold them."""

import json

import pytest
from settled_runs import WORDS, kept_file, leave_results

from nnunet_vit.errors import ConfigError
from nnunet_vit.planning.open_keys import GivenRun

pytestmark = pytest.mark.unit


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
