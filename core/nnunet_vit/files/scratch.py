"""A folder for a while, which others that work beside it leave alone, however many begin at once.

Those of processes that were killed are removed: nobody holds their lock.
"""

import contextlib
import importlib.util
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from nnunet_vit.errors import MachineError
from nnunet_vit.files.locks import Lock, LockedError, lock

LOCK = "in.use"
DAY = 86400.0  # seconds; a folder without a lock is one of a killed process when it is older
TRIES = 20
_one_thread = threading.Lock()
_own: set[Path] = set()  # folders of this process, which may lock them again


@contextlib.contextmanager
def scratch_in(parent: Path, prefix: str) -> Iterator[Path]:
    """Yield a new folder that is gone afterwards, and remove those of killed processes.

    Args:
        parent: where to make it.
        prefix: of the names of all such folders there.

    Raises:
        OSError, MachineError: the disk refuses.
    """
    with _one_thread:
        for left in parent.glob(f"{prefix}*"):
            if left.absolute() not in _own:
                _remove_left(left)
        place, held = _made(parent, prefix)
        _own.add(place.absolute())
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)
        held.close()
        _own.discard(place.absolute())


def _remove_left(folder: Path) -> None:
    """Remove a folder where nobody is alive who works in it."""
    with contextlib.suppress(LockedError, MachineError, OSError):
        changed = folder.stat().st_mtime
        with lock(folder / LOCK) as held:  # until it is gone: somebody may be about to lock it
            if _keeps_apart(held) or time.time() - changed > DAY:
                shutil.rmtree(folder, ignore_errors=True)


def _made(parent: Path, prefix: str) -> tuple[Path, Lock]:
    """Return a new folder and its lock; one that was removed before it was locked is none."""
    for left in reversed(range(TRIES)):
        place = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        try:
            held = lock(place / LOCK)
        except (LockedError, MachineError):
            if not left:
                raise
            continue
        if _is_there(held):
            return place, held
        held.close()
    raise MachineError(f"{parent}: others remove new folders there.", fix="another folder.")


def _is_there(held: Lock) -> bool:
    try:
        there, locked = os.stat(held.path), os.fstat(held.file.fileno())
    except FileNotFoundError:
        return False
    return not _keeps_apart(held) or os.path.samestat(there, locked)


def _keeps_apart(held: Lock) -> bool:
    """Tell whether everybody sees the lock: not on Windows, nor on file systems without locks."""
    return not held.notice and importlib.util.find_spec("fcntl") is not None
