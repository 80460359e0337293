"""Files by their content."""

import hashlib
from functools import cache
from pathlib import Path


def sha256(path: Path) -> str:
    """Return the sha256 of a file, as hex.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        digest = hashlib.sha256()
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def known_sha256(path: Path) -> str:
    """Return the sha256 of a file; an unchanged file is read once per process.

    Of a folder, which an OME-Zarr is, it is that of all names and contents in it.

    Raises:
        OSError: the file cannot be read.
    """
    if path.is_dir():
        return _of_folder(path)
    about = path.stat()
    return _known(
        path, about.st_size, about.st_mtime_ns, touched=about.st_ctime_ns, inode=about.st_ino
    )


@cache
def _known(path: Path, size: int, changed: int, *, touched: int, inode: int) -> str:
    return sha256(path)


def _of_folder(folder: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{file.relative_to(folder).as_posix()} {sha256(file)}\n".encode())
    return digest.hexdigest()
