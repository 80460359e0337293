"""What the disk refuses while a training is saved, as an error with the path and the room left."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

from nnunet_vit.errors import MachineError


@contextmanager
def writing(path: Path, needed: int) -> Iterator[None]:
    """Report what the disk refuses inside as an error with the path and the room it has.

    Args:
        path: what is written.
        needed: bytes.

    Raises:
        MachineError: the disk is full, or there is no permission, or it fails.
    """
    try:
        yield
    except (OSError, SafetensorError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or str(error)
        raise MachineError(
            f"{path} could not be written: {reason}. "
            f"Needed: {needed:,} bytes; free on this disk: {_free(path)} bytes.",
            fix="make room or give write permission; what was saved before is intact.",
        ) from error


def _free(path: Path) -> str:
    try:
        existing = next(folder for folder in (path, *path.parents) if folder.exists())
        return f"{shutil.disk_usage(existing).free:,}"
    except OSError:
        return "unknown"
