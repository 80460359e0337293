"""What a checkpoint says about where it comes from: the weights file and the packages."""

import hashlib
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TypedDict

from nnunet_vit.errors import ModelError
from nnunet_vit.files.digests import known_sha256

SAMPLES, SAMPLE = 32, 1 << 16  # so many pieces of a file, so many bytes each
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
        size, digest = path.stat().st_size, known_sha256(path)
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}.") from error
    return {"name": path.name, "bytes": size, "sha256": digest}


def sampled_digest(path: Path) -> str:
    """Return a digest of a file or folder that tells weights apart without reading all of them.

    It covers the sizes and a sample from all over each file: other weights differ everywhere.
    """
    digest = hashlib.sha256()
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    for file in (file for file in files if file.is_file()):
        size = file.stat().st_size
        digest.update(f"{file.name if path.is_dir() else ''}|{size}|".encode())
        with file.open("rb") as content:
            for number in range(SAMPLES):
                content.seek(max(0, size - SAMPLE) * number // (SAMPLES - 1))
                digest.update(content.read(SAMPLE))
    return digest.hexdigest()


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that decide what a network computes."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found
