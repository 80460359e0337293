"""Which folds are trained, resumed or left, and what a stop says; the training itself is faked."""

import contextlib
import json
from types import SimpleNamespace

import pytest

from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.data.preprocessing.refusals import Asked
from nnunet_vit.errors import ConfigError, DataError, Stopped
from nnunet_vit.training import cross_validation
from nnunet_vit.training.fold_preparation import Request

pytestmark = pytest.mark.unit


class FakeRun:
    """Keeps what is trained, in a model folder of its own."""

    def __init__(self, folder):
        self.folder, self.calls, self.stops_at, self.changed = folder, [], None, False
        self.checked = []
        self.cases = [["a", "b"], ["c", "d"], ["e"]]

    def train(self, run, request, progress):
        fold, later = run.data.fold, tuple(request.later)
        self.calls.append((fold, request.resume, request.overwrite, later, request.asked.update))
        if fold == self.stops_at:
            raise Stopped("No epoch of 2 is saved yet: the same command starts from scratch.")
        self.finish(fold)
        return SimpleNamespace(as_text=lambda: f"fold {fold} done")

    def prepare(self, run, request, progress):
        if self.changed:
            raise DataError(f"the data of folds {run.data.fold} {request.later} have changed")
        return "ready"

    def finish(self, fold, validated=True):
        validation = self.folder / f"fold_{fold}/validation"
        validation.mkdir(parents=True, exist_ok=True)
        (validation.parent / "checkpoint_final.pth").touch()
        for case in self.cases[fold][: None if validated else 1]:
            (validation / f"{case}.png").touch()
        if validated:
            self.summarize(fold)

    def summarize(self, fold):
        """Write nnU-Net's summary of the masks that are there, as evaluate does."""
        validation = self.folder / f"fold_{fold}/validation"
        entries = [{"prediction_file": str(file)} for file in validation.glob("*.png")]
        (validation / "summary.json").write_text(json.dumps({"metric_per_case": entries}))

    def __call__(self, resume=False, overwrite=False, asked=None, folds=(0, 1, 2), **more):
        run = ViTnnUNetConfig.model_validate({"data": {"dataset": 1, "fold": list(folds)}})
        from nnunet_vit.report.progress import Progress

        request = Request(None, resume, overwrite, asked or Asked(), **more)
        return cross_validation.cross_validate(run, request, Progress())


@pytest.fixture
def fake(tmp_path, monkeypatch):
    run = FakeRun(tmp_path / "model")
    monkeypatch.setattr(cross_validation, "opened", lambda r, _: contextlib.nullcontext(r))
    dataset = SimpleNamespace(preprocessed=tmp_path, description={"file_ending": ".png"})
    monkeypatch.setattr(cross_validation, "find_dataset", lambda _: dataset)
    splits = [{"train": [], "val": cases} for cases in run.cases]
    (tmp_path / "splits_final.json").write_text(json.dumps(splits))
    identity = SimpleNamespace(folder=run.folder)
    monkeypatch.setattr(cross_validation, "identity_of", lambda *_, lengthens: identity)
    monkeypatch.setattr(cross_validation, "train_fold", run.train)
    monkeypatch.setattr(cross_validation, "prepare_fold", run.prepare)
    monkeypatch.setattr(
        cross_validation,
        "check_finished_folds",
        lambda ready, _, folds: run.checked.append((ready, list(folds))),
    )
    monkeypatch.setattr(cross_validation, "merge_validations", lambda *_: "scores")
    return run


def test_all_are_trained_in_their_order(fake):
    done = fake(asked=Asked(update=True))
    assert fake.calls == [
        (0, False, False, (1, 2), True),
        (1, False, False, (2,), False),
        (2, False, False, (), False),
    ]
    assert (done.folder, done.folds, done.scores) == (fake.folder, (0, 1, 2), "scores")


def test_continue_leaves_what_is_done(fake):
    fake.finish(0)
    fake.finish(1, validated=False)
    fake(resume=True)
    assert [call[:2] for call in fake.calls] == [(1, True), (2, False)]
    assert fake.checked == [("ready", [0])]


def test_data_that_changed_are_noticed_where_all_is_done(fake):
    for fold in range(3):
        fake.finish(fold)
    fake.changed = True
    with pytest.raises(DataError, match=r"folds 0 \[1, 2\] have changed"):
        fake(resume=True)
    assert not fake.calls


def test_a_summary_that_was_cut_off_is_no_validation(fake):
    fake.finish(0)
    (fake.folder / "fold_0/validation/summary.json").write_text('{"metric_per_case": [{"pr')
    fake(resume=True)
    assert fake.calls[0][:2] == (0, True)


def test_an_evaluation_of_half_a_validation_finishes_no_fold(fake):
    fake.finish(0, validated=False)
    fake.summarize(0)  # `vit_cli evaluate -p fold_0/validation` after a kill
    fake(resume=True)
    assert fake.calls[0][:2] == (0, True)


def test_a_fold_whose_validation_cases_have_changed_is_not_done(fake, tmp_path):
    fake.finish(0)
    (tmp_path / "splits_final.json").write_text(json.dumps([{"val": ["a", "b", "new"]}] * 3))
    fake(resume=True)
    assert fake.calls[0][:2] == (0, True)


def test_a_fold_without_the_probabilities_that_are_wanted_is_validated_again(fake):
    fake.finish(0)
    fake.finish(1)
    for case in fake.cases[1]:
        (fake.folder / f"fold_1/validation/{case}.npz").touch()
    fake(resume=True, folds=(0, 1))
    assert fake.calls == []
    fake(resume=True, folds=(0, 1), probabilities=True)
    assert [call[:2] for call in fake.calls] == [(0, True)]


def test_overwrite_empties_all_at_once(fake):
    fake.finish(1)
    fake(overwrite=True)
    assert [call[2:4] for call in fake.calls] == [(True, (1, 2)), (False, (2,)), (False, ())]


def test_results_that_are_there_are_named(fake):
    fake.finish(0)
    fake.finish(2)
    with pytest.raises(ConfigError) as caught:
        fake()
    assert "fold 0 (checkpoint_final.pth), fold 2 (checkpoint_final.pth)" in str(caught.value)
    assert "--continue to keep finished folds and resume the others" in str(caught.value)
    assert fake.calls == []


def test_nothing_to_continue(fake):
    with pytest.raises(ConfigError, match="no checkpoint of this run's folds"):
        fake(resume=True)


def test_a_stop_says_the_fold_and_that_others_are_saved(fake):
    fake.stops_at = 1
    with pytest.raises(Stopped) as caught:
        fake()
    assert caught.value.saved == "Fold 1: no epoch is saved yet; other folds are."
    assert caught.value.resumes


def test_a_stop_before_anything_is_saved(fake):
    fake.stops_at = 0
    with pytest.raises(Stopped) as caught:
        fake()
    assert caught.value.saved.startswith("Fold 0: No epoch of 2 is saved yet")
    assert not caught.value.resumes


def test_a_fold_twice():
    with pytest.raises(ValueError, match="fold 1 is there more than once"):
        ViTnnUNetConfig.model_validate({"data": {"fold": [1, 0, 1]}})
