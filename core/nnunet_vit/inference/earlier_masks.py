"""What lies already where a prediction writes.

Masks are replaced or left among the new ones; what belongs to those that are replaced is deleted.
"""

import contextlib
import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

from nnunet_vit.checkpoints.fold_folder import SUMMARY
from nnunet_vit.data.case_files import files_of
from nnunet_vit.errors import MachineError, counted, shortened


def overwritable(expected: Sequence[Path]) -> Sequence[Path]:
    """Return the masks that will be written, of which nnU-Net opens those that are there.

    Raises:
        MachineError: some may not be written; names them.
    """
    refused = [mask.name for mask in expected if mask.exists() and not _opens(mask)]
    if refused:
        raise MachineError(
            f"Earlier masks in {expected[0].parent} may not be replaced by this user: "
            f"{shortened(refused)}.",
            fix="another folder for -o, or remove them.",
        )
    return expected


def _opens(file: Path) -> bool:
    """Tell whether a file may be written; it stays as it is."""
    try:
        os.close(os.open(file, os.O_WRONLY))
    except OSError:
        return False
    return True


def of_earlier_prediction(
    masks: Path, expected: Iterable[Path], ending: str, finished: Collection[Path] = ()
) -> Iterator[str]:
    """Yield a line on masks that will be replaced, and one on those that stay.

    Args:
        masks: folder to write to; it exists.
        expected: the masks that will be written.
        ending: of all masks.
        finished: masks of the same prediction, which stay.
    """
    there, written = set(files_of(masks, ending)) - set(finished), set(expected)
    if there & written:
        scores = masks / SUMMARY
        stale = f"; {scores} is of these, not of the new ones" if scores.is_file() else ""
        yield f"Replaced in {masks}: {counted(len(there & written), 'earlier mask')}{stale}."
    if there - written:
        names = shortened(sorted(file.name for file in there - written))
        yield f"Left in {masks}: {names}, of an earlier prediction; evaluate takes them for new."


def without_stale(files: Sequence[Path], masks: Path) -> Iterator[str]:
    """Delete what earlier masks were made from, or became; yield a line if there is any.

    Args:
        files: beside masks that will be replaced; they will not be.
        masks: the folder of masks.
    """
    for file in files:
        with contextlib.suppress(FileNotFoundError):  # another prediction was faster
            file.unlink()
            if file.parent != masks and not any(file.parent.iterdir()):
                file.parent.rmdir()
    if files:
        names = shortened(file.relative_to(masks).as_posix() for file in files)
        yield f"Deleted in {masks}: {names}, of the earlier masks."
