"""What a picture's pixels say otherwise than programs show it: turned, inverted, other colours.

nnU-Net reads pixels as they are stored. In the format that a model was trained on, its training
images were read so too; another format, or another program's export, is refused.
"""

import contextlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit.data.checks.raster_reading import in_threads
from nnunet_vit.errors import shortened
from nnunet_vit.files.integrity import JPEG, PNG

if TYPE_CHECKING:
    from tifffile import TiffFile

TIFF = (".tif", ".tiff")
EXIF = b"eXIf"  # a part of a PNG
HEAD = 1 << 16  # bytes in which a PNG has it
ORIENTATION = 0x0112  # of EXIF and of TIFF
CHANNELS = ("C", "S")  # axes of a TIFF
PALETTE, OF_PAGES = "palette", "pages"
SLICES = {"Z": "slices", "T": "times"}
COLOURS = {"r", "g", "b", "red", "green", "blue", "rgb_to_0_1"}
UPRIGHT = "save it upright, as `magick mogrify -auto-orient` does"
Oddity = tuple[str, str]
NOTHING = "", ""


def oddity_of(file: Path, ending: str, but: Collection[str] = ()) -> Oddity:
    """Return how the pixels that are read differ from the picture, and what to do; or nothing.

    Args:
        file: a picture; a damaged one has no oddity, reading it tells what is wrong.
        ending: in small letters.
        but: as `tiff_oddity` has it.
    """
    with contextlib.suppress(Exception):
        if ending in TIFF:
            import tifffile

            with tifffile.TiffFile(file) as content:
                return tiff_oddity(content, but)
        with open(file, "rb") as stored:
            head = stored.read(HEAD)
        if head.startswith(JPEG) or (head.startswith(PNG) and EXIF in head):
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
        import tifffile

        with contextlib.suppress(Exception), tifffile.TiffFile(file) as content:
            axis, pages = _pages(content)
            if axis in SLICES:
                return (
                    f"holds {pages} grey {SLICES[axis]}, which would be read as colours",
                    "save one picture per file",
                )
    return NOTHING


def told_once(files: Iterable[Path], ending: str) -> Iterator[str]:
    """Yield a line per oddity of images in the model's own format, which are read as in training.

    Args:
        files: that are predicted.
        ending: of the model's format.
    """
    own = [file for file in files if file.name.lower().endswith(ending.lower())]
    found: dict[str, list[str]] = {}
    looks = in_threads(lambda file: oddity_of(file, ending.lower()), own)
    for file, (problem, _) in zip(own, looks, strict=True):
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


def tiff_oddity(content: "TiffFile", but: Collection[str] = ()) -> Oddity:
    """Return how a TIFF's pixels differ from its picture, and what to do; or nothing.

    Args:
        content: an open TIFF.
        but: what whoever reads it takes care of: PALETTE, OF_PAGES.
    """
    from tifffile import COMPRESSION, PHOTOMETRIC

    page = content.pages.first
    turned = page.tags.valueof(ORIENTATION, 1)
    kind, compressed = page.photometric, page.compression
    if turned != 1:
        return _turned(f"orientation {turned}")
    if kind == PHOTOMETRIC.MINISWHITE:
        return "stores white as 0: its pixels are those of the negative", "save it with black as 0"
    if kind == PHOTOMETRIC.SEPARATED:
        return "stores its colours as CMYK or other inks", "save it as RGB"
    if kind == PHOTOMETRIC.PALETTE and PALETTE not in but:
        return (
            "has a palette: what is read are numbers of colours, not grey",
            "save it as grey, or as RGB",
        )
    jpeg = (COMPRESSION.JPEG, COMPRESSION.OJPEG)  # decoded to RGB
    if (
        kind in (PHOTOMETRIC.YCBCR, PHOTOMETRIC.CIELAB, PHOTOMETRIC.ICCLAB)
        and compressed not in jpeg
    ):
        return f"stores its colours as {PHOTOMETRIC(kind).name}", "save it as RGB"
    axis, pages = _pages(content)
    if pages > 1 and axis not in CHANNELS and OF_PAGES not in but:
        return (
            f"holds {pages} grey pages, which are read as channels",
            "save the channels as one picture, or one picture per file",
        )
    return NOTHING


def _pages(content: "TiffFile") -> tuple[str, int]:
    """Return the axis of a TIFF's pages, and how many of them are read as channels."""
    series = content.series[0]
    grey = series.keyframe.samplesperpixel == 1
    if grey and len(series.shape) == 3 and series.shape[0] > 1:
        return series.axes[0], int(series.shape[0])
    return "", 1


def _turned(how: str) -> Oddity:
    return f"is to be turned ({how}), which some programs do and others do not", UPRIGHT
