"""What a training writes into history.csv, also after it was resumed."""

import pytest
from small_training import SmallTraining

from nnunet_vit.checkpoints.history_file import NAME, read_history
from nnunet_vit.training.callbacks.epoch_figures import EpochMeasuring

pytestmark = pytest.mark.unit


@pytest.fixture
def training(tmp_path):
    made = SmallTraining(tmp_path)
    made.build_network()
    made.fold_folder.path.mkdir()
    return made


def rows_of(training):
    return read_history(training.fold_folder.path)


def test_a_row_per_epoch(training):
    for _ in range(3):
        training.epoch()
    rows = rows_of(training)
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    last = rows[-1]
    names = ("num_epochs", "train_loss", "dice", "dice_smoothed", "dice:disc")
    assert [float(last[name]) for name in names] == [3, 0.5, 0.5, 0.5, 0.5]
    assert last["finished"] == "2027-01-15T08:00:05+00:00"
    assert 0 < float(last["step_seconds"]) <= float(last["seconds"])
    assert float(last["learning_rate"]) > 0.001 / 4  # the epoch's highest


def test_epochs_that_are_done_again_are_there_once(training):
    for _ in range(3):
        training.epoch()
    training.current_epoch = 1  # a checkpoint of the first one is resumed from
    lists = training.logger.local_logger.my_fantastic_logging
    for values in lists.values():
        del values[1:]
    before = rows_of(training)
    training.epoch()
    rows = rows_of(training)
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert rows[0] == before[0]


def test_epochs_before_the_file_come_from_the_checkpoint(training):
    for _ in range(2):
        training.epoch()
    (training.fold_folder.path / NAME).unlink()
    training.epoch()
    first, _, last = rows_of(training)
    assert (first["dice"], first["seconds"]) == ("0.5", "")
    assert last["seconds"]


def test_another_process_writes_none(training):
    training.saves = False
    training.epoch()
    assert rows_of(training) == []


def test_a_full_disk_is_told_and_ends_nothing(training, monkeypatch):
    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("nnunet_vit.training.callbacks.history.write_history", refuse)
    training.epoch()
    assert training.progress.warnings == ["history.csv is not written: No space left on device."]


def test_where_the_time_went(training, monkeypatch):
    clock = iter(range(100))
    monkeypatch.setattr("time.monotonic", lambda: float(next(clock)))
    measuring = training.callbacks.of(EpochMeasuring)
    measuring.on_epoch_start(training)  # 0
    for _ in range(2):
        measuring.on_step_start(training)  # 1 and 3
        measuring.on_step_end(training, 0.5)  # 2 and 4
    measuring.on_validation_start(training)  # 5
    measuring.on_validation_end(training)  # 6
    training.log_figures()
    measuring.on_epoch_end(training)  # 7
    seconds = measuring.figures.seconds
    assert seconds.as_text() == "7.0 s (data 2.0, steps 2.0, validation 1.0)"
