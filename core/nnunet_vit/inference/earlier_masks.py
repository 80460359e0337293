"""Masks that lie already where a prediction writes: replaced, or left among the new ones."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from nnunet_vit.checkpoints.fold_folder import SUMMARY
from nnunet_vit.data.case_files import files_of
from nnunet_vit.errors import counted, shortened


def of_earlier_prediction(masks: Path, expected: Iterable[Path], ending: str) -> Iterator[str]:
    """Yield a line on masks that will be replaced, and one on those that stay.

    Args:
        masks: folder to write to; it exists.
        expected: the masks that will be written.
        ending: of all masks.
    """
    there, written = set(files_of(masks, ending)), set(expected)
    if there & written:
        scores = masks / SUMMARY
        stale = f"; {scores} is of these, not of the new ones" if scores.is_file() else ""
        yield f"Replaced in {masks}: {counted(len(there & written), 'earlier mask')}{stale}."
    if there - written:
        names = shortened(sorted(file.name for file in there - written))
        yield f"Left in {masks}: {names}, of an earlier prediction; evaluate takes them for new."
