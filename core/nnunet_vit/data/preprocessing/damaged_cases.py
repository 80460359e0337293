"""Which preprocessed cases are damaged, looked at after nnU-Net has stumbled over one."""

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit.data.checks.raster_reading import in_threads
from nnunet_vit.data.preprocessing.data_record import REDO
from nnunet_vit.data.preprocessing.preprocessed import DataFolder
from nnunet_vit.errors import DataError, counted, message_of, shortened
from nnunet_vit.report.progress import Progress

if TYPE_CHECKING:
    from nnunetv2.training.dataloading.nnunet_dataset import nnUNetBaseDataset


@contextlib.contextmanager
def damage_named(data: Path, progress: Progress) -> Iterator[None]:
    """Name every damaged case where what is done inside fails, and there are such cases.

    Args:
        data: the folder of the preprocessed cases.
        progress: where to show that they are read.

    Raises:
        DataError: with the damaged cases, or what was raised inside.
    """
    try:
        yield
    except DataError as error:
        progress.close()
        progress.start_work(f"Looking for damage in {data}")
        try:
            found = list(_damaged(data))
        finally:
            progress.close()
        if not found:
            raise
        raise DataError(
            f"{data}: {counted(len(found), 'preprocessed case')} cannot be read: "
            f"{shortened(found)}.",
            REDO,
        ) from error


def _damaged(data: Path) -> Iterator[str]:
    """Yield each case that nnU-Net cannot read, and why."""
    cases = _reader(data)
    if cases is None:
        return
    whole = DataFolder(data.parent, data.name).cases()
    for case in sorted(whole | set(cases.identifiers)):
        reason = _why_damaged(cases, case)
        if reason:
            yield f"{case} ({reason.replace(f'{data}/', '')})"


def readable_cases(data: Path, cases: Iterable[str]) -> set[str]:
    """Return those of the preprocessed cases that nnU-Net can read whole.

    Args:
        data: their folder.
        cases: by name.
    """
    reader, wanted = _reader(data), sorted(cases)
    if reader is None:
        return set()
    reasons = in_threads(lambda case: _why_damaged(reader, case), wanted)
    return {case for case, reason in zip(wanted, reasons, strict=True) if not reason}


def _reader(data: Path) -> "nnUNetBaseDataset | None":
    """Return nnU-Net's reader of a folder, or None where it cannot read it at all."""
    from nnunetv2.training.dataloading.nnunet_dataset import infer_dataset_class

    try:
        return infer_dataset_class(str(data))(str(data))
    except (AssertionError, KeyError, OSError):
        return None


def _why_damaged(cases: "nnUNetBaseDataset", case: str) -> str:
    try:
        pixels, labels, *_ = cases.load_case(case)
        pixels[:], labels[:]
    except Exception as error:  # whatever a reader raises on a damaged file
        return message_of(error)
    return ""
