"""history.csv in a fold's folder: the figures of every epoch, a row each."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from nnunet_vit.files.writing import replacing

NAME = "history.csv"
DICE_OF = "dice:"  # before a class's name
FIGURES = ("train_loss", "validation_loss", "dice", "dice_smoothed")
RATE = "learning_rate"
SECONDS = ("seconds", "data_seconds", "step_seconds", "validation_seconds")
Row = dict[str, str]


def columns_of(classes: Sequence[str]) -> list[str]:
    """Return the names of the columns; epochs are counted from 1, times are UTC in ISO 8601."""
    per_class = [f"{DICE_OF}{name}" for name in classes]
    return ["epoch", "num_epochs", *FIGURES, *per_class, RATE, *SECONDS, "finished"]


def write_history(
    folder: Path, classes: Sequence[str], rows: Sequence[Mapping[str, object]]
) -> Path:
    """Write the rows of all epochs so far, whole or not at all, and return the file's path.

    Args:
        folder: of the fold.
        classes: names of the foreground classes or regions.
        rows: values by column, in the order of the epochs; what is not known may be missing.

    Raises:
        OSError: the disk refuses.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, columns_of(classes), "", "ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path = folder / NAME
    with replacing(path) as unfinished:
        unfinished.write_text(text.getvalue(), encoding="utf-8", newline="")
    return path


def read_history(folder: Path) -> list[Row]:
    """Return the rows by column, in the order of the epochs; none where there is no such file.

    Values are text, empty where they are not known. A row that was cut off counts as none.
    """
    try:
        text = (folder / NAME).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return []
    rows = csv.DictReader(io.StringIO(text))
    return [row for row in rows if None not in row.values() and row.get("epoch", "").isdecimal()]
