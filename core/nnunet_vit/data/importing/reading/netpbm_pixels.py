"""PGM and PPM, whose values Pillow would spread over 0 to 255, and halve where they are deep."""

import re
from pathlib import Path

from nnunet_vit.data.importing.reading.picture_pixels import read_picture
from nnunet_vit.data.importing.reading.pixels import Pixels, UnusableError

GAP = rb"(?:\s|#[^\n]*\n)+"
HEAD = re.compile(rb"P([2356])" + GAP + rb"(\d+)" + GAP + rb"(\d+)" + GAP + rb"(\d+)(?:#[^\n]*)?\s")
COMMENT = re.compile(rb"#[^\n]*")
TEXT, COLOURS = (2, 3), (3, 6)


def read_netpbm(file: Path) -> Pixels:
    """Return the pixels of a PGM or PPM as they are stored, a PBM's as 0 and 255.

    Raises:
        UnusableError: it is cut off, or none.
        OSError: it cannot be read.
    """
    import numpy as np

    content = file.read_bytes()
    head = HEAD.match(content)
    if head is None:
        return read_picture(file)
    kind, width, height, highest = map(int, head.groups())
    parts = 3 if kind in COLOURS else 1
    number, rest = width * height * parts, content[head.end() :]
    stored = ">u2" if highest > 255 else "u1"
    if kind in TEXT:
        values = np.array(COMMENT.sub(b"", rest).split()[:number], dtype=np.int64)
    else:
        values = np.frombuffer(rest[: number * np.dtype(stored).itemsize], dtype=stored)
    if values.size < number:
        raise UnusableError(f"is cut off: {values.size} of {number} values", "copy it again")
    native = np.uint16 if highest > 255 else np.uint8
    picture = values.astype(native).reshape(height, width, parts)
    return Pixels(np.moveaxis(picture, -1, 0)[:, None])
