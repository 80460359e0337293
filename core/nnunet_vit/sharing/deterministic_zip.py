"""A folder as a zip whose bytes depend on the content alone."""

import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path

from nnunet_vit.checkpoints.disk import writing
from nnunet_vit.files.writing import replacing

EARLIEST = (1980, 1, 1, 0, 0, 0)  # the first time that a zip knows
READABLE = 0o100644 << 16  # a plain file


def write_zip(folder: Path, names: Sequence[str], path: Path) -> None:
    """Write files of a folder as a zip, whole or not at all; nothing is compressed.

    Another zlib would compress to other bytes, and weights do not shrink.

    Raises:
        MachineError: the disk is full or not writable; an older file stays.
    """
    needed = sum((folder / name).stat().st_size for name in names)
    with writing(path, needed), replacing(path) as unfinished:
        with zipfile.ZipFile(unfinished, "w") as archive:
            for name in names:
                _add(archive, folder / name, name)


def _add(archive: zipfile.ZipFile, file: Path, name: str) -> None:
    entry = zipfile.ZipInfo(name, EARLIEST)
    entry.external_attr, entry.create_system = READABLE, 3
    entry.file_size = file.stat().st_size  # what is larger than 2 GB needs zip64
    with file.open("rb") as source, archive.open(entry, "w") as target:
        shutil.copyfileobj(source, target, 1 << 20)
