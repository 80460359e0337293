"""What a checkpoint says about where it comes from: the weights file and the packages."""

import platform
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TypedDict

from nnunet_vit.checkpoints.directory import sha256
from nnunet_vit.errors import ModelError

PACKAGES = ("torch", "timm", "peft", "nnunetv2", "nnunet-vit")


class FileRecord(TypedDict):
    """A file by its content: no path, which means nothing on another machine."""

    name: str
    bytes: int
    sha256: str


def file_record(path: Path) -> FileRecord:
    """Return a file's name, size and sha256; an unchanged file is read once per process.

    Raises:
        ModelError: the file cannot be read.
    """
    try:
        about = path.stat()
        digest = _sha256(path, about.st_size, about.st_mtime_ns, about.st_ino)
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}.") from error
    return {"name": path.name, "bytes": about.st_size, "sha256": digest}


@lru_cache(maxsize=16)
def _sha256(path: Path, size: int, changed: int, inode: int) -> str:
    return sha256(path)


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that decide what a network computes."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found
