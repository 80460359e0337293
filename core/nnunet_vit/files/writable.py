"""Whether a folder can be written, asked before work whose results would be lost."""

import contextlib
import errno
import tempfile
from pathlib import Path

from nnunet_vit.errors import MachineError

FULL = (errno.ENOSPC, errno.EDQUOT)
FORBIDDEN = (errno.EACCES, errno.EPERM)
FIX = "choose another folder, or allow writing there."


def check_writable(folder: Path, given: str, fix: str = FIX) -> None:
    """Refuse a folder that cannot be made or written; nothing of it, or in it, is left.

    Permissions alone do not tell, so a file is made, which has no name.

    Args:
        folder: it, and those above it, need not be there yet.
        given: what the user wrote: "-o masks".
        fix: what to do.

    Raises:
        MachineError: names the folder or file that is in the way.
    """
    try:
        there = _existing(folder)
        problem = _problem(there, "that folder" if there == folder else str(there.absolute()))
    except OSError as error:  # a name that no folder can have, a folder that may not be looked at
        problem = error.strerror or str(error)
    if problem:
        raise MachineError(f"{given} cannot be written: {problem}.", fix)


def _existing(folder: Path) -> Path:
    """Return the folder, or the nearest above it that is there, as a folder or not."""
    for there in (folder, *folder.parents):
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            there.lstat()  # a link to nothing is in the way too
            return there
    return folder


def _problem(there: Path, called: str) -> str:
    """Return what keeps files from being written there, or ''."""
    if not there.is_dir():
        kind = "is a link to nothing" if there.is_symlink() else "is a file"
        return f"{there} {kind}"
    try:
        with tempfile.TemporaryFile(dir=there):
            return ""
    except OSError as error:
        if error.errno in FULL:
            return f"the disk of {called} is full"
        if error.errno == errno.EROFS:
            return f"the disk of {called} is read-only"
        if error.errno in FORBIDDEN:
            return f"this user may not write in {called}"
        return f"{called} takes no files ({error.strerror})"
