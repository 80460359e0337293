"""Volumes whose header says no spacing: readers take 1 mm for it, without a word."""

import contextlib
import gzip
import math
import re
import struct
import zlib
from pathlib import Path

from nnunet_vit.files.integrity import GZIP
from nnunet_vit.quantities import sizes_text

HEAD = 1 << 16  # bytes in which a header of text ends
NIFTI2 = 540  # bytes of its header, which are its first number
# words of a header that say it, and what ends the header
OF_NRRD = re.compile(rb"^(space directions|spacings):(?! *nan)", re.I | re.M), b"\n\n"
OF_META = re.compile(rb"^[ \t]*(ElementSpacing|ElementSize)[ \t]*=", re.M), b"ElementDataFile"
SAID_BY = {".nrrd": OF_NRRD, ".nhdr": OF_NRRD, ".mha": OF_META, ".mhd": OF_META}
DAMAGED = (OSError, EOFError, struct.error, zlib.error)
REMEDY = "write the spacing of its voxels into the file"


def spacing_fault(file: Path, ending: str) -> tuple[str, str]:
    """Return why a file does not say how large its voxels are and what to do; or nothing.

    Args:
        file: a volume; a damaged one has no such fault, reading it tells what is wrong.
        ending: in small letters.
    """
    with contextlib.suppress(*DAMAGED), open(file, "rb") as content:
        if ending in SAID_BY:
            words, end = SAID_BY[ending]
            said = words.search(content.read(HEAD).partition(end)[0])
            return ("", "") if said else ("says no spacing, and 1 mm would be taken", REMEDY)
        if ending in (".nii", ".nii.gz"):
            zipped = content.read(2) == GZIP
            content.seek(0)
            return _of_nifti((gzip.GzipFile(fileobj=content) if zipped else content).read(NIFTI2))
    return "", ""


def _of_nifti(header: bytes) -> tuple[str, str]:
    order = "<" if header[:2] in (b"\x5c\x01", b"\x1c\x02") else ">"
    if struct.unpack(f"{order}i", header[:4])[0] == NIFTI2:
        sizes = struct.unpack(f"{order}8q", header[16:80])
        spacing = struct.unpack(f"{order}8d", header[104:168])
    else:
        sizes = struct.unpack(f"{order}8h", header[40:56])
        spacing = struct.unpack(f"{order}8f", header[76:108])
    axes = [axis for axis in (1, 2, 3) if axis <= sizes[0] and sizes[axis] > 1]
    if all(spacing[axis] and math.isfinite(spacing[axis]) for axis in axes):
        return "", ""
    slowest_first = sizes_text(spacing[axis] for axis in reversed(axes))
    return f"has spacing {slowest_first} in its header", REMEDY
