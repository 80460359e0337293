"""Which preprocessed cases are damaged, looked at after nnU-Net has stumbled over one."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from nnunet_vit.data.preprocessing.data_record import REDO
from nnunet_vit.data.preprocessing.preprocessed import DataFolder
from nnunet_vit.errors import DataError, counted, message_of, shortened
from nnunet_vit.report.progress import Progress


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
    from nnunetv2.training.dataloading.nnunet_dataset import infer_dataset_class

    try:
        cases = infer_dataset_class(str(data))(str(data))
    except (AssertionError, KeyError, OSError):  # a folder that it cannot read at all
        return
    whole = DataFolder(data.parent, data.name).cases()
    for case in sorted(whole | set(cases.identifiers)):
        try:
            pixels, labels, *_ = cases.load_case(case)
            pixels[:], labels[:]
        except Exception as error:  # whatever a reader raises on a damaged file
            reason = message_of(error)
            yield f"{case} ({reason.replace(f'{data}/', '')})"
