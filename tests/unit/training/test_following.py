"""Trackers follow a training, and none of them can change or end it."""

import random

import numpy as np
import pytest
import torch
from small_training import SmallTraining

from nnunet_vit.checkpoints.fold_folder import LATEST_FILE
from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.files.json_file import read_json
from nnunet_vit.trackers import own_trackers
from nnunet_vit.trackers.tracker import Tracker
from nnunet_vit.training.callbacks import following
from nnunet_vit.training.callbacks.checkpointing import Checkpointing
from nnunet_vit.training.callbacks.following import Following
from nnunet_vit.training.resuming import resume

pytestmark = pytest.mark.unit


class Kept:
    """Keeps what it is told."""

    def __init__(self, followed, options):
        self.followed, self.told = followed, []
        self.identifier = followed.identifier or "session-1"

    def log(self, epoch, figures):
        self.told.append((epoch, figures))

    def picture(self, epoch, name, file):
        self.told.append((epoch, name))

    def end(self, outcome):
        self.told.append(outcome)


class Failing(Kept):
    """Draws random numbers and raises in each of its calls."""

    def log(self, *arguments):
        torch.rand(3)
        np.random.rand()
        random.random()
        raise ConnectionError("no network")

    picture = end = log


def refuse(followed, options):
    torch.manual_seed(0)
    raise SystemExit("log in first")


@pytest.fixture
def follow(monkeypatch):
    """Make trainings that a tracker of that kind follows."""

    def make(folder, start, **train):
        monkeypatch.setattr(
            following, "named_tracker", lambda name: Tracker(name, "", "", "", start)
        )
        training = SmallTraining(folder, **train)
        training.run = ViTnnUNetConfig.model_validate(
            {**training.run.model_dump(), "trackers": ["kept"]}
        )
        return training

    return make


def trained(training, epochs=2):
    training.build_network()
    training.fold_folder.path.mkdir(parents=True, exist_ok=True)
    training.tell("on_training_start")
    torch.manual_seed(3)
    for _ in range(epochs):
        training.epoch()
    return training


def session_of(training):
    return training.callbacks.of(Following).sessions["kept"]


def test_figures_of_each_epoch_are_handed_over(tmp_path, follow):
    training = trained(follow(tmp_path / "Dataset001_A" / "model", Kept))
    session = session_of(training)
    assert [epoch for epoch, _ in session.told] == [1, 2]
    figures = session.told[0][1]
    assert (figures["dice"], figures["dice_per_class/disc"]) == (0.5, 0.5)
    assert figures["learning_rate"] > 0 and figures["step_seconds"] > 0
    followed = session.followed
    assert followed.dataset == "Dataset001_A" and followed.name == "vit-fold_0"
    assert followed.settings["model.head"] == "linear"
    assert followed.settings["train.num_epochs"] == 3
    assert (followed.first_epoch, followed.identifier) == (0, None)
    assert read_json(training.fold_folder.path / "trackers.json") == {"kept": "session-1"}


def test_a_resumed_training_goes_on_with_its_session(tmp_path, follow):
    training = follow(tmp_path, Kept)
    training.callbacks.of(Checkpointing).request(LATEST_FILE)
    trained(training, epochs=1)
    again = follow(tmp_path, Kept)
    resume(again)
    again.tell("on_training_start")
    followed = session_of(again).followed
    assert (followed.first_epoch, followed.identifier) == (1, "session-1")


@pytest.mark.parametrize(
    ("error", "outcome"), [(KeyboardInterrupt(), "stopped"), (ValueError(), "failed")]
)
def test_a_training_that_does_not_end_by_itself(tmp_path, follow, error, outcome):
    training = trained(follow(tmp_path, Kept))
    told = session_of(training).told
    training.tell("on_exception", error)
    assert told[-1] == outcome


def test_the_session_ends_after_the_folds_validation(tmp_path, follow):
    training = trained(follow(tmp_path, Kept))
    told = session_of(training).told
    training.tell("on_validation_end")  # that of an epoch
    training.tell("on_training_end")
    validation = training.fold_folder.path / "validation"
    validation.mkdir()
    (validation / "summary.json").write_text('{"foreground_mean": {"Dice": 0.75}}')
    training.tell("on_validation_end")
    assert told[2:] == [(2, {"fold_dice": 0.75}), "finished"]
    training.tell("on_exception", ValueError())
    assert told[-1] == "finished"


@pytest.mark.parametrize("start", [Failing, refuse])
def test_a_tracker_that_fails_in_each_call_leaves_the_weights(tmp_path, follow, start):
    without = trained(follow(tmp_path / "a", Kept), epochs=3)
    failing = trained(follow(tmp_path / "b", start), epochs=3)
    failing.callbacks.of(Following).show(failing, "case", tmp_path)
    failing.tell("on_training_end")
    failing.tell("on_validation_end")
    for name, value in without.weights().items():
        assert torch.equal(value, failing.weights()[name]), name
    (warning,) = failing.progress.warnings
    assert warning in (
        "Tracker 'kept' fails: ConnectionError: no network. The training continues.",
        "Tracker 'kept' fails: SystemExit: log in first. The training continues.",
    )
    assert any(line.startswith("Tracker 'kept' fails") for line in failing.log)


def test_a_tracker_is_left_alone_after_three_failures(tmp_path, follow):
    training = trained(follow(tmp_path, Failing, num_epochs=5), epochs=2)
    assert "kept" in training.callbacks.of(Following).sessions
    training.epoch()
    assert training.callbacks.of(Following).sessions == {}
    assert len([line for line in training.log if "fails" in line]) == 3


def test_another_process_follows_nothing(tmp_path, follow):
    training = follow(tmp_path, Kept)
    training.saves = False
    trained(training)
    assert training.callbacks.of(Following).sessions == {}


def test_a_key_interrupts_a_tracker(tmp_path, follow):
    def interrupt(followed, options):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained(follow(tmp_path, interrupt))


def test_the_folder_is_the_list():
    assert {"tensorboard", "mlflow", "wandb", "trackio"} <= set(own_trackers())
