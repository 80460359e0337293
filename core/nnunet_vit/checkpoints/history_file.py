"""history.csv in a fold's folder: the figures of every epoch, a row each."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from nnunet_vit.errors import counted
from nnunet_vit.files.writing import replacing

NAME = "history.csv"
DICE_OF = "dice:"  # before a class's name
FIGURES = ("train_loss", "validation_loss", "dice", "dice_smoothed")
RATE = "learning_rate"
SECONDS = ("seconds", "data_seconds", "step_seconds", "validation_seconds")
PHASES = (
    "transfer_seconds",
    "forward_seconds",
    "backward_seconds",
    "optimizer_seconds",
)  # of steps
Row = dict[str, str]


def columns_of(classes: Sequence[str]) -> list[str]:
    """Return the names of the columns; epochs are counted from 1, times are UTC in ISO 8601."""
    per_class = [f"{DICE_OF}{name}" for name in classes]
    return ["epoch", "num_epochs", *FIGURES, *per_class, RATE, *SECONDS, *PHASES, "finished"]


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
    return look_at_history(folder)[0]


def look_at_history(folder: Path) -> tuple[list[Row], str]:
    """Return the rows as `read_history` does, and what is wrong with the file; '': nothing."""
    try:
        text = (folder / NAME).read_text(encoding="utf-8")
        rows = list(csv.DictReader(io.StringIO(text)))
    except FileNotFoundError:
        return [], ""
    except OSError as error:
        return [], f"cannot be read: {error.strerror or error}"
    except (ValueError, csv.Error):  # csv has an error class of its own
        return [], "is damaged: it is no table"
    sound = [row for row in rows if _is_whole(row)]
    if not text.startswith("epoch,"):
        return sound, "is damaged: its first line does not name the columns"
    if len(sound) < len(rows) or not text.endswith("\n"):
        return sound, f"is damaged or cut off after {counted(len(sound), 'whole row')}"
    return sound, ""


def _is_whole(row: Row) -> bool:
    """Tell whether a row has a value in each column and none besides, and an epoch."""
    return None not in (*row, *row.values()) and row.get("epoch", "").isdecimal()
