"""When a training ends early or is lengthened, and that it resumes to the same end."""

import math
import shutil
from types import SimpleNamespace

import pytest
import torch
from small_training import SmallTraining

from nnunet_vit.checkpoints.fold_folder import (
    LATEST_FILE,
    SUMMARY,
    VALIDATION,
    FoldFolder,
    check_lengths,
)
from nnunet_vit.checkpoints.full_model import planned_epochs_of, write_full_model
from nnunet_vit.checkpoints.stages import Stage
from nnunet_vit.errors import ModelError
from nnunet_vit.training.callbacks.checkpointing import Checkpointing
from nnunet_vit.training.callbacks.ending import epochs_without_rise, smoothed
from nnunet_vit.training.checkpoint_content import full_model_of
from nnunet_vit.training.execution import take_up
from nnunet_vit.training.resuming import resume

pytestmark = pytest.mark.unit


def built(folder, **train):
    training = SmallTraining(folder, **train)
    training.build_network()
    return training


def resumed(folder, **train):
    training = SmallTraining(folder, **train)
    resume(training)
    training.tell("on_training_start")
    return training


@pytest.mark.parametrize(
    ("values", "began", "epochs"),
    [
        ([], 0, 0),
        ([0.5], 0, 0),
        ([0.5, 0.5], 0, 1),
        ([0.5, 0.4, 0.6, 0.6, 0.1], 0, 2),
        ([math.nan] * 3, 0, 3),
        ([0.9, 0.1, 0.2, 0.3], 2, 2),
        ([0.1, 0.9, math.nan], 1, 1),
    ],
)
def test_epochs_without_a_rise(values, began, epochs):
    assert epochs_without_rise(values, began) == epochs


def test_an_epoch_without_a_dice_ends_nothing():
    nan = math.nan
    assert smoothed([0.5, nan, 1.0]) == pytest.approx([0.5, 0.5, 0.55])
    assert smoothed([nan, 0.5])[1] == 0.5
    rising = [0.1, 0.2, nan, 0.30, 0.33, 0.36, 0.4]
    assert epochs_without_rise(smoothed(rising), 0) == 0


def test_patience_ends_a_training(tmp_path):
    training = built(tmp_path, num_epochs=9, patience=2)
    for expected in ("", "", "patience"):
        assert not training.ended
        training.epoch()  # the same Dice each time: the first epoch is the best
        assert training.ended == expected
    assert training.num_epochs == training.current_epoch == 3
    (line,) = [line for line in training.progress.lines if "ends" in line]
    assert line == (
        "The training ends after epoch 3 of 9: the smoothed Dice has not risen for 2 epochs "
        "(train.patience)."
    )
    folder = training.fold_folder
    assert (folder.saved_epoch(), folder.last_epoch(9)) == (3, 3)
    assert folder.is_trained(9) and not folder.is_trained(12)
    folder.whole.write_text("the model")
    assert folder.ends_with_full_model(9) and not folder.ends_with_full_model(12)


def test_a_training_that_ended_early_is_finished_when_it_is_resumed(tmp_path):
    training = built(tmp_path, num_epochs=9, patience=1)
    training.epoch()
    training.epoch()
    again = resumed(tmp_path, num_epochs=9, patience=1)
    assert again.current_epoch == again.num_epochs == 2


def test_a_rising_dice_goes_on(tmp_path):
    training = built(tmp_path, num_epochs=3, patience=1)
    for dice in (0.1, 0.2, 0.3):
        training.log_figures(dice)
        training.current_epoch += 1
        training.tell("on_epoch_end")
        assert not training.ended


@pytest.mark.parametrize("name", ["finish", "stop"])
def test_a_file_ends_the_training(tmp_path, name):
    training = built(tmp_path)
    training.fold_folder.path.mkdir()
    (training.fold_folder.path / name).touch()
    training.tell("on_training_start")  # that of an earlier training
    training.epoch()
    assert not training.ended
    (training.fold_folder.path / name).touch()
    training.epoch()
    assert training.ended == name
    assert not (training.fold_folder.path / name).exists()
    assert training.fold_folder.saved_epoch() == 2
    assert training.fold_folder.is_trained(3) == (name == "finish")
    assert resumed(tmp_path).num_epochs == (2 if name == "finish" else 3)


def test_a_lengthened_training_plans_its_rates_anew(tmp_path):
    training = built(tmp_path, num_epochs=2, warmup=0.0)
    for _ in range(2):
        training.epoch()
    folder = training.fold_folder
    folder.whole.write_text("a model of two epochs")
    (folder.path / VALIDATION).mkdir()
    (folder.path / VALIDATION / SUMMARY).touch()
    (tmp_path / "crossval_results_folds_0_1").mkdir()
    (tmp_path / "crossval_results_folds_1_2").mkdir()
    longer = resumed(tmp_path, num_epochs=4, warmup=0.0)
    assert longer.progress.lines == [
        "The training is lengthened from 2 to 4 epochs: after epoch 2 the learning rates rise and "
        "fall once more."
    ]
    assert (longer.current_epoch, longer.num_epochs) == (2, 4)
    assert longer.lr_scheduler.stages == [Stage(0, 2), Stage(2, 4)]
    assert not folder.whole.exists() and not (folder.path / VALIDATION).exists()
    merged = sorted(path.name for path in tmp_path.glob("crossval*"))
    assert merged == ["crossval_results_folds_1_2"]
    factors = [longer.lr_scheduler.factor(step) for step in range(8)]
    assert factors[:4] == factors[4:]
    assert factors[0] == 1


def test_a_lengthened_training_resumes_to_the_same_weights(tmp_path):
    def lengthened(folder):
        training = built(folder, num_epochs=1)
        training.epoch()
        return resumed(folder, num_epochs=3)

    whole, parts = (lengthened(tmp_path / name) for name in "ab")
    parts = resumed(tmp_path / "b", num_epochs=3)  # killed before it had saved anything
    torch.manual_seed(1)
    whole.epoch()
    whole.epoch()
    torch.manual_seed(1)
    parts.callbacks.of(Checkpointing).request(LATEST_FILE)
    parts.epoch()
    parts = resumed(tmp_path / "b", num_epochs=3)
    assert parts.lr_scheduler.stages == whole.lr_scheduler.stages
    parts.epoch()
    for name, value in whole.weights().items():
        assert torch.equal(value, parts.weights()[name]), name


def test_patience_counts_from_where_a_training_was_lengthened(tmp_path):
    training = built(tmp_path, num_epochs=9, patience=2)
    while not training.ended:
        training.epoch()
    longer = resumed(tmp_path, num_epochs=12, patience=2)
    assert (longer.current_epoch, longer.num_epochs) == (3, 12)
    longer.epoch()
    assert not longer.ended
    longer.epoch()
    assert longer.ended == "patience"


def test_the_share_that_is_done_never_falls(tmp_path):
    schedule = built(tmp_path, num_epochs=4).lr_scheduler
    shares = []
    for step in range(6):
        schedule.iteration = step
        shares.append(schedule.progress)
    assert shares == [step / 8 for step in range(6)]
    schedule.stages = [Stage(0, 4), Stage(3, 6)]
    shares = []
    for step in range(13):
        schedule.iteration = step
        shares.append(schedule.progress)
    assert shares == sorted(shares) and shares[6] == 0.75 and shares[12] == 1


def finished(folder, epochs=1):
    """A training whose whole model is written too."""
    training = built(folder, num_epochs=epochs)
    for _ in range(epochs):
        training.epoch()
    write_full_model(training.fold_folder.whole, full_model_of(training, "2d"))
    return training


def test_a_finished_model_alone_is_not_lengthened(tmp_path):
    folder = finished(tmp_path).fold_folder
    (folder.path / "LATEST").unlink()
    shutil.rmtree(folder.path / "ckpt")
    assert folder.saved_epoch() is None
    assert folder.ends_with_full_model(1) and not folder.ends_with_full_model(3)
    with pytest.raises(ModelError, match="a finished model alone cannot be lengthened"):
        resumed(tmp_path, num_epochs=3)
    assert resumed(tmp_path, num_epochs=1).current_epoch == 1


def test_a_finished_model_without_its_newest_checkpoint_is_validated_and_not_resumed(tmp_path):
    folder = finished(tmp_path, epochs=2).fold_folder
    shutil.rmtree(folder.path / "ckpt/epoch_00002")
    lines = []
    training = SmallTraining(tmp_path, num_epochs=2)
    take_up(training, SimpleNamespace(log=lines.append))
    assert lines == ["The training is done (2 epochs): its model is validated."]


def test_a_model_that_ended_early_is_that_of_all_its_epochs(tmp_path):
    training = built(tmp_path, num_epochs=9, patience=1)
    while not training.ended:
        training.epoch()
    write_full_model(training.fold_folder.whole, full_model_of(training, "2d"))
    assert planned_epochs_of(training.fold_folder.whole) == 9
    (training.fold_folder.path / "LATEST").unlink()
    shutil.rmtree(training.fold_folder.path / "ckpt")
    assert training.fold_folder.ends_with_full_model(9)
    assert resumed(tmp_path, num_epochs=9, patience=1).num_epochs == 2


def test_a_fold_that_is_not_lengthened_yet_is_not_finished(tmp_path):
    short = finished(tmp_path / "a").fold_folder
    long = FoldFolder(short.path.with_name("fold_1"))
    shutil.copytree(finished(tmp_path / "b", epochs=2).fold_folder.path, long.path)
    assert (short.planned_epochs(), long.planned_epochs()) == (1, 2)
    assert long.has("final", 2) and not short.has("final", 2)
    check_lengths([long, long])
    with pytest.raises(ModelError, match="fold_0 of 1 epochs, fold_1 of 2 epochs"):
        check_lengths([short, long])


def test_one_process_of_several_deletes(tmp_path):
    finished(tmp_path)
    training = SmallTraining(tmp_path, num_epochs=2)
    training.saves = False
    resume(training)
    assert training.fold_folder.whole.is_file()
