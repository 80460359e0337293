"""What lies already where a prediction writes.

Masks are replaced or left among the new ones; probabilities of other masks are deleted.
"""

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

from nnunet_vit.checkpoints.fold_folder import SUMMARY
from nnunet_vit.data.case_files import files_of
from nnunet_vit.errors import MachineError, counted, shortened

PROBABILITIES = (".npz", ".pkl")  # that nnU-Net writes beside a case's mask


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


def made_way_for(
    masks: Path,
    expected: Sequence[Path],
    ending: str,
    *,
    probabilities: bool,
    finished: Collection[Path] = (),
) -> Iterator[str]:
    """Yield what is to be said of earlier masks; delete their probabilities.

    Args:
        masks: folder to write to; it exists.
        expected: the masks that will be written.
        ending: of all masks.
        probabilities: they are written too, and replace the earlier ones.
        finished: masks of the same prediction, which stay.
    """
    yield from of_earlier_prediction(masks, expected, ending, finished)
    if not probabilities:
        yield from without_probabilities(expected, ending)


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


def without_probabilities(expected: Iterable[Path], ending: str) -> Iterator[str]:
    """Delete the probabilities beside masks that will be replaced; yield a line if there are any.

    Evaluation and reports take what lies beside a mask for what it was made from.

    Args:
        expected: the masks that will be written, without probabilities.
        ending: of all masks.
    """
    stems = [mask.with_name(mask.name.removesuffix(ending)) for mask in expected]
    files = [stem.with_name(stem.name + end) for stem in stems for end in PROBABILITIES]
    found = [file for file in files if file.is_file()]
    for file in found:
        file.unlink()
    if found:
        names = shortened(file.name for file in found)
        yield f"Deleted in {found[0].parent}: {names}, probabilities of the earlier masks."
