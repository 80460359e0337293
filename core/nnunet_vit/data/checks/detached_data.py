"""Headers of NRRD and MetaImage whose voxels lie in other files."""

import contextlib
import re
from collections.abc import Sequence
from pathlib import Path

from nnunet_vit.data.naming import ending_of

HEADERS = (".nrrd", ".nhdr", ".mha", ".mhd")
STACKS = (".tif", ".tiff")
HEAD = 1 << 16  # bytes in which a header ends
OF_NRRD = re.compile(r"^data ?file *: *(.*)$", re.IGNORECASE | re.MULTILINE)
OF_META = re.compile(r"^[ \t]*ElementDataFile[ \t]*=[ \t]*(.*)$", re.IGNORECASE | re.MULTILINE)
NUMBER = re.compile(r"%0?\d*d")  # the number of a file among many


def may_lie_elsewhere(file: Path, ending: str) -> bool:
    """Tell whether a file is a header of other files, or nothing says that it is none.

    Args:
        file: that nnU-Net reads.
        ending: of it, in small letters.

    Raises:
        OSError: it cannot be read.
    """
    return ending in HEADERS and _named(file) != []


def spacings_beside(files: Sequence[Path], ending: str) -> list[Path]:
    """Return the files with spacings that nnU-Net reads beside TIFF stacks.

    Args:
        files: of a case.
        ending: of them.
    """
    if ending.lower() not in STACKS:
        return []
    names = [file.with_name(file.name[: -len(ending)]) for file in files]
    names += [name.with_name(name.name[:-5]) for name in names[:1]]  # without the channel's number
    return [beside for name in names if (beside := Path(f"{name}.json")).is_file()]


def is_all_of_it(files: Sequence[Path]) -> bool:
    """Tell whether nnU-Net reads nothing of a case but these files, of which there is at least one.

    Args:
        files: of the case.
    """
    ending = ending_of(files[0].name)
    try:
        elsewhere = any(may_lie_elsewhere(file, ending.lower()) for file in files)
    except OSError:
        return False
    return not elsewhere and not spacings_beside(files, ending)


def data_files(file: Path) -> list[Path]:
    """Return the files that hold the voxels of a header.

    Args:
        file: of any format.

    Returns:
        Nothing where the file holds its voxels itself, or does not say where they are.
    """
    if ending_of(file.name).lower() not in HEADERS:
        return []
    with contextlib.suppress(OSError):
        name, *listed = _named(file) or [""]
        if name.upper().split()[:1] == ["LIST"]:
            return [file.parent / each for each in listed if each]
        if not NUMBER.search(name):
            return [file.parent / name] if name else []
        pattern = file.parent / NUMBER.sub("*", name.split()[0])
        return sorted(pattern.parent.glob(pattern.name)) or [pattern]
    return []


def _named(file: Path) -> list[str] | None:
    """Return what a header names as its data and the lines after it, without blanks around.

    Returns:
        An empty list where the file holds its voxels itself; None where that cannot be told.

    Raises:
        OSError: it cannot be read.
    """
    with file.open("rb") as content:
        head = content.read(HEAD).replace(b"\r", b"").decode("latin-1")
    if head.startswith("NRRD"):
        own, ends, _ = head.partition("\n\n")
        found, inside = OF_NRRD.search(own), bool(ends)
    else:
        own, found, inside = head, OF_META.search(head), False
        if found is not None and found[1].strip().upper() == "LOCAL":
            return []
    if found is None:
        return [] if inside else None
    return [line.strip() for line in (found[1], *own[found.end() :].splitlines()[1:])]
