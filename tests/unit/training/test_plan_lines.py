"""Which kept plan without results is taken: by device, memory and data, and as it was written."""

import json
import shutil

import pytest
from settled_runs import GB, kept_file

from nnunet_vit.errors import DataError
from nnunet_vit.planning import plan_run

pytestmark = pytest.mark.unit


def test_a_plan_without_results_is_made_again_for_another_device(planner, settled, said):
    assert settled()[0].train.batch_size == 2
    planner.usable = 4 * GB  # the same kind, with less memory
    assert settled()[0].train.batch_size == 3
    assert (
        "No fold was trained by the plan for cpu, whose step takes 5.00 GB; on a cpu it may take "
        "4.00 GB: it is planned again."
    ) in said.lines
    planner.kind, planner.usable = "cuda", 80 * GB
    assert settled()[0].train.batch_size == 4
    assert settled()[0].train.batch_size == 4


def test_folds_that_start_together_share_a_plan(planner, settled, monkeypatch):
    """The second one waits for the first one's plan, and has less free memory by then."""
    sizes_of, together = planner.sizes_of, []

    def other_fold_first(*words, **more):
        if not together:
            together.append(None)
            together.append(settled("data.fold=0")[0])
            planner.usable = 4 * GB
        return sizes_of(*words, **more)

    monkeypatch.setattr(plan_run, "sizes_of", other_fold_first)
    run, _ = settled("data.fold=1")
    assert run.train == together[-1].train


def test_a_picture_of_a_batch_keeps_no_plan(planner, settled, said, nnunet_folders):
    run, _ = settled(trains=False)
    assert run.train.batch_size == 2
    assert not list((nnunet_folders / "preprocessed").rglob("*.planned.json"))
    assert "The run keeps this plan" not in "".join(said.lines)
    assert settled()[0].train.batch_size == 3
    planner.kind = "cuda"  # it shows the plan that is there
    assert settled(trains=False)[0].train.batch_size == 3


@pytest.mark.parametrize(
    "changes",
    [{"channel_names": {"0": "R"}}, {"labels": {"background": 0, "disc": 1}}],
)
def test_channels_and_labels_decide_a_plan(settled, write_dataset, nnunet_folders, changes):
    assert settled()[0].train.batch_size == 2
    shutil.rmtree(nnunet_folders / "raw")
    write_dataset(**changes)
    assert settled()[0].train.batch_size == 3


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("train.num_epochs", 7, "plans .*train.num_epochs; this run leaves open model.precision, "),
        ("train.batch_size", "many", "holds a plan that makes no run: .*batch_size"),
        ("train.batch_size", None, "holds a plan that makes no run: .*batch_size"),
    ],
)
def test_a_changed_file_of_plans_is_named(settled, nnunet_folders, key, value, text):
    settled()
    file = kept_file(nnunet_folders)
    content = json.loads(file.read_text())
    values = [each for each in content["plans"][0]["values"] if each["key"] != key]
    content["plans"][0]["values"] = [*values, {"key": key, "value": value, "reason": "mine"}]
    file.write_text(json.dumps(content))
    with pytest.raises(DataError, match=text) as caught:
        settled("data.fold=1")
    assert str(file) in caught.value.problem
    assert "delete it" in caught.value.fix
