"""What a training writes into history.csv, also after it was resumed."""

import pytest
from small_training import SmallTraining

from nnunet_vit.checkpoints import history_file
from nnunet_vit.checkpoints.history_file import NAME, read_history
from nnunet_vit.report.step_seconds import PHASES
from nnunet_vit.training.callbacks.epoch_figures import EpochMeasuring, by_column

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
    clock, moments = iter(range(100)), iter([0.0, 2.0, 2.5, 4.0, 7.0, 8.0])
    monkeypatch.setattr("time.monotonic", lambda: float(next(clock)))
    monkeypatch.setattr("nnunet_vit.training.step_clock.perf_counter", lambda: next(moments, 9.0))
    measuring = training.callbacks.of(EpochMeasuring)
    measuring.on_epoch_start(training)  # 0
    for phase in PHASES:
        training.clock.ends(phase)
    measuring.on_validation_start(training)  # 1
    measuring.on_validation_end(training)  # 2
    training.log_figures()
    measuring.on_epoch_end(training)  # 3
    assert measuring.figures.seconds.as_text() == "3.0 s (data 2.0, steps 6.0, validation 1.0)"
    columns = by_column(measuring.figures)
    seconds = [columns[f"{name}_seconds"] for name in ("data", "step", *PHASES[1:])]
    assert seconds == [2, 6, 0.5, 1.5, 3, 1]
    assert training.log[-1] == (
        "Time of a training step 8.0000 s (wait 25.0%, transfer 6.2%, forward 18.8%, "
        "backward 37.5%, optimizer 12.5%)"
    )


def test_phases_of_a_training_add_up(training):
    training.epoch()
    row = rows_of(training)[0]
    phases = [float(row[f"{name}_seconds"]) for name in PHASES[1:]]
    assert sum(phases) == pytest.approx(float(row["step_seconds"]))
    assert float(row["forward_seconds"]) > 0 and float(row["backward_seconds"]) > 0
    assert sum(phases) + float(row["data_seconds"]) <= float(row["seconds"])


def test_a_file_of_an_earlier_version_is_taken_up(training):
    training.epoch()
    training.epoch()
    file = training.fold_folder.path / NAME
    lines = [line.split(",") for line in file.read_text().splitlines()]
    kept = [n for n, name in enumerate(lines[0]) if name not in history_file.PHASES]
    text = "".join(",".join(line[n] for n in kept) + "\n" for line in lines)
    file.write_text(text)
    training.epoch()
    first, _, last = rows_of(training)
    assert (first["forward_seconds"], first["step_seconds"]) == (
        "",
        lines[1][lines[0].index("step_seconds")],
    )
    assert float(last["forward_seconds"]) > 0
