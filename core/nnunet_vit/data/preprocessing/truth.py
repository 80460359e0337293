"""The copies of label files beside the preprocessed data, with which a validation compares."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from nnunet_vit.data.case_files import files_of
from nnunet_vit.data.checks.raster_reading import in_threads
from nnunet_vit.data.faults import refuse
from nnunet_vit.data.file_faults import FileFault, grouped
from nnunet_vit.data.preprocessing.raw_files import Files
from nnunet_vit.files.integrity import flaw_of
from nnunet_vit.files.writing import remove_unfinished, replacing

TRUTH = "gt_segmentations"  # the folder, beside the preprocessed data
REMEDY = "put the label file there again"


def cases_with_truth(root: Path, ending: str) -> set[str]:
    """Return the cases whose label file lies beside the preprocessed data, for validation."""
    if not (root / TRUTH).is_dir():
        return set()
    files = files_of(root / TRUTH, ending)
    return {file.name.removesuffix(ending) for file in files if file.is_file()}


def cases_with_other_truth(root: Path, files: Files, there: set[str], *, ending: str) -> list[str]:
    """Return the cases whose copy has not the size of its label file: it was cut off, or edited."""
    found = []
    for case in sorted(there & set(files)):
        label, copy = files[case][-1], root / TRUTH / f"{case}{ending}"
        if label.is_file() and label.stat().st_size != copy.stat().st_size:
            found.append(case)
    return found


def copy_again(root: Path, files: Files, cases: Iterable[str], *, ending: str) -> None:
    """Put label files in the place of their copies, each in one step: others may be reading."""
    for case in cases:
        (root / TRUTH).mkdir(exist_ok=True)
        copy = root / TRUTH / f"{case}{ending}"
        remove_unfinished(copy)  # who prepares the data is alone in their folder
        with replacing(copy) as unfinished:
            shutil.copyfile(files[case][-1], unfinished)


def refuse_damaged_truth(root: Path, cases: Iterable[str], ending: str) -> None:
    """Refuse copies that are damaged where no label file is there to copy again.

    Raises:
        DataError: names each; SimpleITK would read what was cut off as background.
    """
    copies = [root / TRUTH / f"{case}{ending}" for case in sorted(cases)]
    flaws = in_threads(lambda copy: flaw_of(copy, ending), copies)
    faults = [
        FileFault(copy, flaw, REMEDY) for copy, (flaw, _) in zip(copies, flaws, strict=True) if flaw
    ]
    refuse(f"{root / TRUTH} has {len(faults)} bad files", grouped(faults))
