"""Locks on files: held by a process, given up with it, however it ends.

A process holds each lock file once and counts who asked for it: closing a second file of the same
name would give the first one's lock up.
"""

import contextlib
import errno
import hashlib
import os
import platform
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from nnunet_vit.errors import MachineError

HELD = (errno.EACCES, errno.EAGAIN)  # what the system says where another process holds a lock
NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL)


class LockedError(Exception):
    """Another process holds the lock; the text is what it wrote into the file."""


@dataclass
class Lock:
    """A lock that this process holds until it is closed as often as it was asked for.

    Attributes:
        path: of the lock file that was asked for.
        file: that is locked: elsewhere where the file system of `path` has no locks.
        at_end: called with the file before the lock is given up.
        notice: one sentence where the lock keeps apart less than it should, or an empty string.
    """

    path: Path
    file: TextIO
    notice: str = ""
    holders: int = 0
    at_end: Callable[[TextIO], None] = lambda _: None

    def write(self, text: str) -> None:
        """Say in the file who holds it."""
        self.file.truncate(0)
        self.file.write(text)
        self.file.flush()

    def read(self) -> str:
        """Return what is written in the file."""
        self.file.seek(0)
        return self.file.read()

    def close(self) -> None:
        """Give the lock up, if nobody else in this process has asked for it too."""
        self.holders -= 1
        if self.holders <= 0:
            _held.pop(self.path, None)
            self.at_end(self.file)
            self.file.close()

    def __enter__(self) -> "Lock":
        """Hold it for a block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Give it up."""
        self.close()


_held: dict[Path, Lock] = {}


def lock(path: Path, *, shared: bool = False, wait: bool = False) -> Lock:
    """Hold a lock file for this process.

    Args:
        path: the file; its folder is made.
        shared: several processes may hold it so at a time.
        wait: until others give it up.

    Raises:
        LockedError: another process holds it.
        MachineError: the file cannot be written, or locking fails otherwise.
    """
    path = path.absolute()
    own = _held.get(path) or Lock(path, _opened(path))
    if not _locks(own, shared, wait):
        own = _in_temporary_folder(path)
        if not _locks(own, shared, wait):
            raise MachineError(f"{path} cannot be locked, nor can {own.file.name}.")
    own.holders += 1
    _held[path] = own
    return own


def whoami() -> str:
    """Return this process as other processes name it: its number and its machine."""
    return f"{os.getpid()} on {platform.node()}"


def _opened(path: Path) -> TextIO:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return open(path, "a+", encoding="utf-8")
    except OSError as error:
        raise MachineError(
            f"{path} cannot be written: {error.strerror or error}.",
            fix="give write permission, or choose another folder.",
        ) from error


def _locks(own: Lock, shared: bool, wait: bool) -> bool:
    """Lock the file; tell whether its file system has locks at all."""
    try:
        import fcntl
    except ImportError:  # Windows has none: as without a lock
        return True
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.lockf(own.file, kind if wait else kind | fcntl.LOCK_NB)
    except OSError as error:
        written = own.read().strip()
        if not own.holders:
            own.file.close()
        if error.errno in NO_LOCKS:
            return False
        if error.errno in HELD:
            raise LockedError(written) from error
        raise MachineError(
            f"{own.path} cannot be locked: {error.strerror or error}.",
            fix="choose a folder on another disk.",
        ) from error
    return True


def _in_temporary_folder(path: Path) -> Lock:
    """Return the lock file that stands in where a file system has no locks."""
    name = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:32]
    place = Path(tempfile.gettempdir()) / f"nnunet-vit-locks-{os.getuid()}" / name
    notice = (
        f"{path.parent} lies on a file system without locks: trainings of this machine are kept "
        "apart, those of other machines are not."
    )
    return Lock(path, _opened(place), notice)


@contextlib.contextmanager
def waited_for(path: Path, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold a lock for a block, when the others that hold it have given it up.

    Args:
        path: of the lock file.
        waiting: called once if another process holds it.
    """
    try:
        held = lock(path)
    except LockedError:
        waiting()
        held = lock(path, wait=True)
    with held:
        yield


@contextlib.contextmanager
def given_back() -> Iterator[None]:
    """Give up what a block has locked and left so: a notebook continues after it."""
    before = {path: held.holders for path, held in _held.items()}
    try:
        yield
    finally:
        for path, held in list(_held.items()):
            while held.holders > before.get(path, 0):
                held.close()
