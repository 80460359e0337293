"""Headers of NRRD and MetaImage whose voxels are in other files."""

import contextlib
import re
from pathlib import Path

from nnunet_vit.data.naming import ending_of

NRRD, META = (".nrrd", ".nhdr"), (".mha", ".mhd")
HEAD = 1 << 16  # bytes in which a header of text ends
OF_NRRD = re.compile(r"^data ?file: *(\S.*)$", re.IGNORECASE | re.MULTILINE)
OF_META = re.compile(r"^ElementDataFile *= *(\S.*)$", re.IGNORECASE | re.MULTILINE)
NUMBER = re.compile(r"%0?\d*d")  # the number of a file among many


def data_files(file: Path) -> list[Path]:
    """Return the files that hold the voxels of a header.

    Args:
        file: of any format.

    Returns:
        Nothing where the file holds its voxels itself.
    """
    ending = ending_of(file.name).lower()
    if ending not in (*NRRD, *META):
        return []
    head = _head(file, ending)
    found = (OF_NRRD if ending in NRRD else OF_META).search(head)
    if found is None or (ending in META and found[1].strip().upper() == "LOCAL"):
        return []
    name = found[1].strip()
    if name.upper().split()[0] == "LIST":
        names = [line.strip() for line in head[found.end() :].splitlines() if line.strip()]
        return [file.parent / each for each in names]
    if not NUMBER.search(name):
        return [file.parent / name]
    pattern = file.parent / NUMBER.sub("*", name.split()[0])
    return sorted(pattern.parent.glob(pattern.name)) or [pattern]


def _head(file: Path, ending: str) -> str:
    with contextlib.suppress(OSError), open(file, "rb") as content:
        head = content.read(HEAD).replace(b"\r", b"")
        return (head.partition(b"\n\n")[0] if ending in NRRD else head).decode("latin-1")
    return ""
