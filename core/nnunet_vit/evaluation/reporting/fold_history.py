"""What a fold's training said of each epoch: its history.csv, or else nnU-Net's log."""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nnunet_vit.checkpoints.history_file import DICE_OF, NAME, RATE, Row, look_at_history

LOGS = "training_log_*.txt"
EPOCH = re.compile(r"Epoch (\d+) *$")
NUMBER = re.compile(r"nan|[-+]?[0-9][-+.e0-9]*")
LARGEST = 1e100  # no loss comes near; axes cannot span the very largest numbers
NUMPY = re.compile(r"np\.float\d+")
KEYS = {
    "Current learning rate": RATE,
    "train_loss": "train_loss",
    "val_loss": "validation_loss",
    "Epoch time": "seconds",
}
LINE = re.compile(rf"({'|'.join(KEYS)}):? ([-+.e0-9]+|nan)(?: s)? *$")
DICE = re.compile(r"Pseudo dice \[(.*)\] *$")


@dataclass(frozen=True)
class FoldHistory:
    """The epochs of a fold's training.

    Attributes:
        fold: its number, or all.
        source: the names of the files that said it; empty: there is none.
        epochs: by column of history.csv; what is not known is left out. Epochs count from 1.
        notice: what is wrong with history.csv, and what was read instead; empty: nothing is.
    """

    fold: str
    source: str
    epochs: Sequence[dict[str, float]]
    notice: str = ""

    def values(self, column: str) -> list[tuple[float, float]]:
        """Return epoch and value where a value is known."""
        return [(row["epoch"], row[column]) for row in self.epochs if column in row]

    @property
    def classes(self) -> list[str]:
        """The classes whose Dice is known."""
        columns = dict.fromkeys(key for row in self.epochs for key in row)
        return [key.removeprefix(DICE_OF) for key in columns if key.startswith(DICE_OF)]


def history_of(fold: Path, classes: Sequence[str]) -> FoldHistory:
    """Return the epochs of a fold's folder; classes: whose Dice nnU-Net's log gives in turn.

    The logs count where the table is missing or damaged.
    """
    number = fold.name.removeprefix("fold_")
    rows, flaw = look_at_history(fold)
    epochs = _in_order([dict(_numbers(row)) for row in rows])
    if epochs and not flaw:
        return FoldHistory(number, NAME, epochs)
    logs = sorted(fold.glob(LOGS), key=_time)
    if logged := _of_logs(logs, classes):
        instead = f"the curves of fold {number} are of nnU-Net's training logs"
        epochs, source = logged, ", ".join(log.name for log in logs)
    else:
        instead = f"the curves of fold {number} show what can be read of it"
        source = NAME if epochs else ""
    notice = f"{fold / NAME} {flaw}; {instead if epochs else f'fold {number} has no curves'}."
    return FoldHistory(number, source, epochs, notice if flaw else "")


def _time(log: Path) -> list[int]:
    """Return when a log was begun, by its name: nnU-Net writes months and days without zeros."""
    return [int(part) for part in re.findall(r"\d+", log.name)]


def _numbers(row: Row) -> Iterator[tuple[str, float]]:
    for column, text in row.items():
        try:
            value = float(text)
        except (TypeError, ValueError):  # empty, a time, or a line that was cut off
            continue
        if _is_known(value):
            yield column, value


def _is_known(value: float) -> bool:
    return math.isfinite(value) and abs(value) < LARGEST


def _of_logs(files: Sequence[Path], classes: Sequence[str]) -> list[dict[str, float]]:
    rows: list[dict[str, float]] = []
    for file in files:
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
            text = line.partition(": ")[2]  # after the time
            if found := EPOCH.fullmatch(text):
                rows.append({"epoch": float(found[1]) + 1})
            elif rows:
                rows[-1].update(_of_line(text, classes))
    return _in_order([row for row in rows if len(row) > 2])  # others were begun and not ended


def _of_line(text: str, classes: Sequence[str]) -> dict[str, float]:
    found: dict[str, float] = {}
    if match := LINE.fullmatch(text):
        found = {KEYS[match[1]]: float(match[2])}
    elif match := DICE.fullmatch(text):
        values = [float(value) for value in NUMBER.findall(NUMPY.sub("", match[1]))]
        known = [value for value in values if _is_known(value)]
        if len(values) == len(classes):
            found = {f"{DICE_OF}{name}": v for name, v in zip(classes, values, strict=True)}
        if known:
            found["dice"] = sum(known) / len(known)
    return {key: value for key, value in found.items() if _is_known(value)}


def _in_order(rows: Sequence[dict[str, float]]) -> list[dict[str, float]]:
    """Return the epochs in their order; of one that was repeated after a stop, the last."""
    by_epoch = {row["epoch"]: row for row in rows if "epoch" in row}
    return [by_epoch[epoch] for epoch in sorted(by_epoch)]
