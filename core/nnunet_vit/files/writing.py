"""Write files so that a kill or a full disk leaves the whole new one, or the one before."""

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

UNFINISHED = ".tmp-"


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give the path of a file to fill; put it in the place of `path` in one step afterwards.

    Several processes may do so at once: the last one's file stays.

    Raises:
        OSError: the disk refuses; `path` is what it was.
    """
    # processes in containers often have one number
    unfinished = path.with_name(f"{UNFINISHED}{path.name}-{os.getpid()}-{secrets.token_hex(4)}")
    try:
        yield unfinished
        sync_file(unfinished)
        os.replace(unfinished, path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def remove_unfinished(path: Path) -> None:
    """Remove what killed processes left of a path; only where no other one writes it now."""
    for leftover in path.parent.glob(f"{UNFINISHED}{path.name}-*"):
        leftover.unlink()


def sync_file(path: Path) -> None:
    """Wait until the disk holds a file's content."""
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Wait until the disk holds the names in a folder."""
    if os.name == "nt":  # it opens no folders, and orders renames itself
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:  # some network file systems sync no folders, and order renames so
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)
