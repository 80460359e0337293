"""The folder, among the masks, where files lie until they are whole."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from nnunet_vit.files.locks import LockedError, lock

PREFIX = ".predicting-"
HELD = "in.use"


@contextlib.contextmanager
def staged_in(masks: Path) -> Iterator[Path]:
    """Yield a new folder that is gone afterwards, and remove those of predictions that were killed.

    Several predictions may write to one folder of masks at once.
    """
    for left in masks.glob(f"{PREFIX}*"):
        try:
            lock(left / HELD).close()
        except (LockedError, OSError):  # another prediction is at it
            continue
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=PREFIX, dir=masks) as folder, lock(Path(folder) / HELD):
        yield Path(folder)
