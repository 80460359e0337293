"""A training resumes only with the data that it began with."""

from types import SimpleNamespace

import pytest

from nnunet_vit.errors import ModelError
from nnunet_vit.files.json_file import write_json
from nnunet_vit.training.callback_trainer import CallbackTrainer
from nnunet_vit.training.resuming import check_same_run

pytestmark = pytest.mark.unit

OTHERS = "the images, labels or classes that the data were preprocessed from"


@pytest.fixture
def trainer(nnunet_folders):
    """`trainer(cases, others)` is one of a fold with those cases, before any network."""
    folder = nnunet_folders / "preprocessed" / "Dataset005_Mine"
    folder.mkdir()

    def make(training="ab", validation="c"):
        made = CallbackTrainer.__new__(CallbackTrainer)
        made.fold, made.output_folder = 0, "results/fold_0"
        made.preprocessed_dataset_folder_base = str(folder)
        plans = {"plans_name": "vit"}
        made.plans_manager = SimpleNamespace(plans=plans, plans_name="vit")
        made.configuration_manager = SimpleNamespace(
            configuration={"architecture": {}, "spacing": [1, 1]}, data_identifier="data"
        )
        made.do_split = lambda: (list(training), list(validation))
        return made

    return make


def record(classes=1, digests="123", cases="abc"):
    """What preprocessing leaves beside the data."""
    write_json(
        {
            "schema": 1,
            "description": {"labels": [["disc", classes]]},
            "plans": {},
            "outdated": False,
            "cases": {
                case: [{"name": f"{case}.png", "size": 1, "changed": 1, "sha256": digest}]
                for case, digest in zip(cases, digests, strict=True)
            },
        },
        find_folder() / "data.record.json",
    )


def find_folder():
    from nnunet_vit.nnunet.folders import folder

    return folder("preprocessed") / "Dataset005_Mine"


def state(trainer):
    return {"fold": 0, "plans_name": "vit", "data": trainer.data_digests}


def refusal(trainer, before):
    with pytest.raises(ModelError) as caught:
        check_same_run(trainer, before)
    return str(caught.value)


@pytest.mark.parametrize("now", [{"classes": 2}, {"digests": "193"}])
def test_other_classes_or_files_are_refused(trainer, now):
    record()
    before = state(trainer())
    record(**now)
    assert refusal(trainer(), before) == (
        f"Since the checkpoint in results/fold_0 was saved, {OTHERS} have changed. Fix: bring back "
        "splits_final.json, nnUNetPlans.json and the raw data as they were, or --overwrite to "
        "start from scratch."
    )


def test_cases_of_other_folds_may_change(trainer):
    record()
    before = state(trainer())
    record(digests="1234", cases="abcd")
    check_same_run(trainer(), before)


def test_other_cases_are_said_once(trainer):
    record()
    before = state(trainer())
    text = refusal(trainer(validation=""), before)
    assert "the fold's training and validation cases have changed" in text and OTHERS not in text


def test_a_checkpoint_of_an_older_version_and_data_without_a_record_are_taken(trainer):
    record()
    before = state(trainer())
    (find_folder() / "data.record.json").unlink()
    check_same_run(trainer(), before)
    older = state(trainer())
    assert sorted(older["data"]) == ["plans", "split"]
    record()
    check_same_run(trainer(), older)
