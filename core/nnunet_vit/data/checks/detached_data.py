"""Headers whose voxels lie in another file."""

import re
from pathlib import Path

HEADERS = (".nrrd", ".nhdr", ".mha", ".mhd")
HEAD = 1 << 16  # bytes in which a header ends
NRRD = re.compile(rb"^data ?file *:", re.IGNORECASE | re.MULTILINE)
META = re.compile(rb"^[ \t]*ElementDataFile[ \t]*=[ \t]*([^\r\n]*)", re.IGNORECASE | re.MULTILINE)


def may_lie_elsewhere(file: Path, ending: str) -> bool:
    """Tell whether a file is a header of other files, or nothing says that it is none.

    Args:
        file: that nnU-Net reads.
        ending: of it, in small letters.

    Raises:
        OSError: it cannot be read.
    """
    if ending not in HEADERS:
        return False
    with file.open("rb") as content:
        head = content.read(HEAD)
    if head.startswith(b"NRRD"):
        own, ends, _ = head.replace(b"\r\n", b"\n").partition(b"\n\n")
        return not ends or NRRD.search(own) is not None
    found = META.search(head)
    return found is None or found[1].strip().lower() != b"local"
