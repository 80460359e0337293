"""What a picture's pixels say otherwise than programs show it: turned, inverted, other colours.

nnU-Net reads pixels as they are stored. In the format that a model was trained on, its training
images were read so too; another format, or another program's export, is refused.
"""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from nnunet_vit.errors import shortened

TIFF = (".tif", ".tiff")
JPEG_MAGIC, PNG_MAGIC = b"\xff\xd8\xff", b"\x89PNG"
EXIF = b"eXIf"  # a part of a PNG
HEAD = 1 << 16  # bytes in which a PNG has it
ORIENTATION = 0x0112  # of EXIF and of TIFF
CHANNELS = ("C", "S")  # axes of a TIFF
SLICES = {"Z": "slices", "T": "times"}
COLOURS = {"r", "g", "b", "red", "green", "blue", "rgb_to_0_1"}
UPRIGHT = "save it upright, as `magick mogrify -auto-orient` does"
Oddity = tuple[str, str]
NOTHING = "", ""


def oddity_of(file: Path, ending: str) -> Oddity:
    """Return how the pixels that are read differ from the picture, and what to do; or nothing.

    Args:
        file: a picture; a damaged one has no oddity, reading it tells what is wrong.
        ending: in small letters.
    """
    with contextlib.suppress(Exception):
        if ending in TIFF:
            return _of_tiff(file)
        with open(file, "rb") as content:
            head = content.read(HEAD)
        if head.startswith(JPEG_MAGIC) or (head.startswith(PNG_MAGIC) and EXIF in head):
            return _of_header(file)
    return NOTHING


def slices_as_colours(file: Path, ending: str, channels: Sequence[str]) -> Oddity:
    """Return why a TIFF's slices or times are no red, green and blue; or nothing.

    Args:
        file: a picture.
        ending: in small letters.
        channels: of the model, by name.
    """
    if ending in TIFF and channels and {name.lower() for name in channels} <= COLOURS:
        with contextlib.suppress(Exception):
            axes, pages = _pages(file)
            if axes in SLICES:
                return (
                    f"holds {pages} grey {SLICES[axes]}, which would be read as colours",
                    "save one picture per file",
                )
    return NOTHING


def told_once(files: Iterable[Path], ending: str) -> Iterator[str]:
    """Yield a line per oddity of images in the model's own format, which are read as in training.

    Args:
        files: that are predicted.
        ending: of the model's format.
    """
    found: dict[str, list[str]] = {}
    for file in files:
        own = file.name.lower().endswith(ending.lower())
        problem, _ = oddity_of(file, ending.lower()) if own else NOTHING
        if problem:
            found.setdefault(problem, []).append(file.name)
    for problem, names in found.items():
        each = "each " * (len(names) > 1)
        yield f"Read as stored, as training images are: {shortened(names)} {each}{problem}."


def _of_header(file: Path) -> Oddity:
    from PIL import Image

    with Image.open(file) as picture:
        turned = picture.getexif().get(ORIENTATION, 1)
        if turned != 1:
            return _turned(f"EXIF orientation {turned}")
        if picture.mode == "CMYK":
            return "stores its colours as CMYK", "save it as RGB"
    return NOTHING


def _of_tiff(file: Path) -> Oddity:
    import tifffile

    with tifffile.TiffFile(file) as content:
        page = content.pages.first
        turned = page.tags.valueof(ORIENTATION, 1)
        kind, compressed = page.photometric, page.compression
    if turned != 1:
        return _turned(f"orientation {turned}")
    kinds = tifffile.PHOTOMETRIC
    if kind == kinds.MINISWHITE:
        return "stores white as 0: its pixels are those of the negative", "save it with black as 0"
    if kind == kinds.PALETTE:
        return (
            "has a palette: what is read are numbers of colours, not grey",
            "save it as grey, or as RGB",
        )
    jpeg = (tifffile.COMPRESSION.JPEG, tifffile.COMPRESSION.OJPEG)  # decoded to RGB
    if kind in (kinds.YCBCR, kinds.CIELAB, kinds.ICCLAB) and compressed not in jpeg:
        return f"stores its colours as {kinds(kind).name}", "save it as RGB"
    axis, pages = _pages(file)
    if pages > 1 and axis not in CHANNELS:
        return (
            f"holds {pages} grey pages, which are read as channels",
            "save the channels as one picture, or one picture per file",
        )
    return NOTHING


def _pages(file: Path) -> tuple[str, int]:
    """Return the axis of a TIFF's pages, and how many of them are read as channels."""
    import tifffile

    with tifffile.TiffFile(file) as content:
        series = content.series[0]
        grey = series.keyframe.samplesperpixel == 1
        if grey and len(series.shape) == 3 and series.shape[0] > 1:
            return series.axes[0], int(series.shape[0])
    return "", 1


def _turned(how: str) -> Oddity:
    return f"is to be turned ({how}), which some programs do and others do not", UPRIGHT
