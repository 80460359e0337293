"""TIFF, by tifffile: pictures, palettes, channels, and pages as slices or channels."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from nnunet_vit.data.checks.stored_pixels import CHANNELS, OF_PAGES, PALETTE, tiff_oddity
from nnunet_vit.data.importing.reading.picture_pixels import OPAQUE_DROPPED, TWO_TONES
from nnunet_vit.data.importing.reading.pixels import (
    Pixels,
    Placement,
    UnusableError,
    without_alpha,
)

if TYPE_CHECKING:
    from tifffile import TiffFile

    from nnunet_vit.files.array_type import Array

Pages = Literal["", "slices", "channels"]
PAGES = ("", "slices", "channels")
PLANE = "YX"
NO_MODE = "--pages slices where they are a volume, --pages channels where they are channels"
UPRIGHT = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


def read_tiff(file: Path, pages: Pages, spacing: tuple[float, ...]) -> Pixels:
    """Return the pixels of a TIFF.

    Args:
        file: with one picture, or with pages of one size.
        pages: what pages are; empty: nobody said.
        spacing: of volumes, (Z, Y, X) in mm.

    Raises:
        UnusableError: its pixels are not what is seen, or nobody said what its pages are.
    """
    import tifffile

    with tifffile.TiffFile(file) as content:
        problem = tiff_oddity(content, but=(PALETTE, OF_PAGES))
        if problem[0]:
            raise UnusableError(*problem)
        if len(content.series) > 1:
            what = f"holds {len(content.series)} pictures that differ in size or kind"
            raise UnusableError(what, "save one picture per file")
        values, paged = _arranged(content, pages)
        return _with_meaning(content, values, paged, spacing=spacing)


def _arranged(content: "TiffFile", pages: Pages) -> tuple["Array", bool]:
    """Return (C, Z, Y, X), and whether Z are pages."""
    import numpy as np

    series = content.series[0]
    values, axes = series.asarray(squeeze=False), series.get_axes(squeeze=False)
    alone = [n for n, axis in enumerate(axes) if axis not in PLANE and values.shape[n] == 1]
    values = np.squeeze(values, tuple(alone))
    axes = "".join(axis for n, axis in enumerate(axes) if n not in alone)
    inner = [axis for axis in axes if axis in CHANNELS]
    outer = [axis for axis in axes if axis not in (*PLANE, *CHANNELS)]
    if len(inner) > 1 or len(outer) > 1 or axes.count("Y") * axes.count("X") != 1:
        raise UnusableError(f"has {len(axes)} axes ({axes})", "save one file per volume or channel")
    number = values.shape[axes.index(outer[0])] if outer else 1
    if outer and not pages:
        raise UnusableError(f"holds {number} pages", NO_MODE)
    if outer and inner and pages == "channels":
        raise UnusableError(f"holds {number} pages with channels of their own", "one page per file")
    by_name = {axis: n for n, axis in enumerate(axes)}
    order = [by_name[axis] for axis in (*inner, *outer, *PLANE)]
    values = np.transpose(values, order)
    if outer and pages == "channels":
        return values[:, None], False
    values = values if outer else np.expand_dims(values, -3)
    return (values if inner else values[None]), bool(outer)


def _with_meaning(
    content: "TiffFile", values: "Array", paged: bool, *, spacing: tuple[float, ...]
) -> Pixels:
    """Return the pixels with palette, transparency, kind of compression and size of voxels."""
    import numpy as np
    from tifffile import COMPRESSION, EXTRASAMPLE, PHOTOMETRIC

    page = content.pages.first
    done: tuple[str, ...] = ()
    palette = None
    values = np.ascontiguousarray(values.astype(values.dtype.newbyteorder("=")))
    if page.photometric == PHOTOMETRIC.PALETTE and page.colormap is not None:
        colours = np.asarray(page.colormap).T
        of_8_bits = colours.max(initial=0) < 256  # some programs write them so; 16 bits are usual
        palette = (colours if of_8_bits else colours >> 8).astype(np.uint8)
    elif values.dtype == bool or page.bitspersample == 1:
        values, done = (values != 0).astype(np.uint8) * 255, (TWO_TONES,)
    alpha = (EXTRASAMPLE.ASSOCALPHA, EXTRASAMPLE.UNASSALPHA)
    if len(page.extrasamples) == 1 and page.extrasamples[0] in alpha and len(values) > 1:
        whole = np.issubdtype(values.dtype, np.integer)
        values = without_alpha(values, np.iinfo(values.dtype).max if whole else 1)
        done = (*done, OPAQUE_DROPPED)
    changing = COMPRESSION.JPEG, COMPRESSION.OJPEG, COMPRESSION.JPEG2000, COMPRESSION.WEBP
    lossy = page.compression in changing
    placement = _placement(spacing) if paged else None
    if paged:
        done = (*done, f"{values.shape[1]} pages as slices")
    return Pixels(values, placement, palette, done, lossy=lossy)


def _placement(spacing: tuple[float, ...]) -> Placement:
    if not spacing:
        raise UnusableError(
            "is a volume whose spacing nobody said", "--spacing Z,Y,X in mm; 1,1,1 if not known"
        )
    return Placement(tuple(reversed(spacing)), (0.0, 0.0, 0.0), UPRIGHT)
