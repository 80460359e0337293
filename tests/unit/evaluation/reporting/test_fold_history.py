"""Epochs of a fold, from its table or from nnU-Net's logs."""

import pytest
from report_runs import log_text

from nnunet_vit.evaluation.reporting.curve_charts import curve_charts
from nnunet_vit.evaluation.reporting.fold_history import history_of

pytestmark = pytest.mark.unit

HEADER = (
    "epoch,num_epochs,train_loss,validation_loss,dice,dice_smoothed,dice:disc,dice:cup,"
    "learning_rate,seconds,data_seconds,step_seconds,validation_seconds,finished\n"
)
ROW = "{},9,0.5,0.25,0.75,0.7,0.8,,0.001,2.5,0.5,1.5,0.5,2026-11-27T02:00:00Z\n"


@pytest.fixture
def fold(tmp_path):
    folder = tmp_path / "fold_3"
    folder.mkdir()
    return folder


def test_a_table_comes_first(fold):
    (fold / "history.csv").write_text(HEADER + ROW.format(1) + ROW.format(2))
    (fold / "training_log_1.txt").write_text(log_text(5))
    found = history_of(fold, ["disc", "cup"])
    assert (found.fold, found.source, len(found.epochs)) == ("3", "history.csv", 2)
    assert found.values("train_loss") == [(1, 0.5), (2, 0.5)]
    assert found.values("step_seconds") == [(1, 1.5), (2, 1.5)]
    assert found.classes == ["disc"]  # the other's Dice is not known in any epoch


def test_a_row_that_was_cut_off_is_none(fold):
    (fold / "history.csv").write_text(HEADER + ROW.format(1) + "2,9,0.5")
    found = history_of(fold, ["disc", "cup"])
    assert found.values("train_loss") == [(1, 0.5)]
    assert found.values("dice") == [(1, 0.75)]


def test_numbers_that_no_axis_can_span_are_left_out(fold):
    lines = [ROW.format(epoch).replace("0.25", value) for epoch, value in [(1, "1e308"), (2, "1")]]
    (fold / "history.csv").write_text(HEADER + "".join([*lines, lines[0].replace("1e3", "-1e3")]))
    found = history_of(fold, ["disc", "cup"])
    assert found.values("validation_loss") == [(2, 1)]
    assert len(curve_charts("run", [found])) >= 3


def test_an_epoch_that_was_repeated_counts_once(fold):
    (fold / "history.csv").write_text(HEADER + ROW.format(1) + ROW.format(2) + ROW.format(2))
    assert [row["epoch"] for row in history_of(fold, []).epochs] == [1, 2]


def test_logs_of_nnunet(fold):
    (fold / "training_log_1.txt").write_text("#####\nPlease cite\n" + log_text(3))
    found = history_of(fold, ["disc", "cup"])
    assert found.source == "training_log_1.txt"
    assert found.values("validation_loss") == [(1, 0), (2, -0.05), (3, -0.1)]
    assert found.values("dice:disc") == [(1, 0), (2, 0.1), (3, 0.2)]
    assert found.values("dice:cup") == []
    assert found.values("dice") == found.values("dice:disc")
    assert found.values("seconds") == [(1, 2.5), (2, 2.5), (3, 2.5)]


def test_a_resumed_training_and_one_that_was_stopped(fold):
    stopped = (
        "2026-01-01 10:00:00.1: Epoch 4\n2026-01-01 10:00:00.2: Current learning rate: 1e-05\n"
    )
    (fold / "training_log_1.txt").write_text(log_text(3))
    (fold / "training_log_2.txt").write_text(log_text(2, first=2) + stopped)
    found = history_of(fold, ["disc", "cup"])
    assert [epoch for epoch, _ in found.values("train_loss")] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("[0.5, 0.25]", [0.5, 0.25]),
        ("[np.float64(5e-05), np.float32(1.0)]", [5e-05, 1.0]),
        ("[nan, 0.25]", [0.25]),
    ],
)
def test_how_nnunet_writes_dice(fold, text, values):
    line = f"2026-01-01 10:00:01.3: Pseudo dice {text} \n"
    epoch = log_text(1).replace("2026-01-01 10:00:01.3: Pseudo dice [np.float32(0.0), nan]\n", line)
    (fold / "training_log_1.txt").write_text(epoch)
    (row,) = history_of(fold, ["a", "b"]).epochs
    assert [row[key] for key in ("dice:a", "dice:b") if key in row] == values
    assert row["dice"] == sum(values) / len(values)


def test_nothing_is_known(fold):
    (fold / "history.csv").write_text(HEADER)
    (fold / "training_log_1.txt").write_text("stopped before the first epoch\n")
    found = history_of(fold, ["disc"])
    assert (found.source, list(found.epochs)) == ("", [])


def test_logs_count_where_the_table_is_damaged(fold):
    (fold / "history.csv").write_text(HEADER + ROW.format(1) + "2,9,0.5")
    (fold / "training_log_2026_9_30_10_00_00.txt").write_text(log_text(3))
    (fold / "training_log_2026_10_1_09_00_00.txt").write_text(log_text(3, first=2))
    found = history_of(fold, ["disc", "cup"])
    assert [epoch for epoch, _ in found.values("train_loss")] == [1, 2, 3, 4, 5]
    assert found.source == (
        "training_log_2026_9_30_10_00_00.txt, training_log_2026_10_1_09_00_00.txt"
    )
    assert found.notice == (
        f"{fold / 'history.csv'} is damaged or cut off after 1 whole row; the curves of fold 3 are "
        "of nnU-Net's training logs."
    )


def test_the_newest_log_counts_for_an_epoch_that_was_repeated(fold):
    (fold / "training_log_2026_9_30_10_00_00.txt").write_text(log_text(1).replace("-0.0", "-0.3"))
    (fold / "training_log_2026_10_1_09_00_00.txt").write_text(log_text(1).replace("-0.0", "-0.7"))
    assert history_of(fold, ["disc", "cup"]).values("train_loss") == [(1, -0.7)]


def test_what_can_be_read_of_a_damaged_table_without_logs(fold):
    (fold / "history.csv").write_text(HEADER + ROW.format(1) + "2,9,0.5")
    found = history_of(fold, ["disc", "cup"])
    assert found.source == "history.csv"
    assert found.notice.endswith("; the curves of fold 3 show what can be read of it.")
    (fold / "history.csv").write_text("\0")
    assert history_of(fold, []).notice.endswith("; fold 3 has no curves.")
