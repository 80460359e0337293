"""Pixels of a file by its ending."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from nnunet_vit.data.checks.raster_reading import AGAIN, reason_of, too_large
from nnunet_vit.data.checks.stored_pixels import TIFF, oddity_of
from nnunet_vit.data.file_faults import FileFault
from nnunet_vit.data.importing.reading.dicom_pixels import DICOM, is_dicom, read_dicom
from nnunet_vit.data.importing.reading.netpbm_pixels import read_netpbm
from nnunet_vit.data.importing.reading.picture_pixels import read_picture
from nnunet_vit.data.importing.reading.pixels import Pixels, UnusableError
from nnunet_vit.data.importing.reading.placed_pixels import DETACHED, PLACED, read_placed
from nnunet_vit.data.importing.reading.tiff_pixels import PAGES, Pages, read_tiff
from nnunet_vit.data.naming import ending_of
from nnunet_vit.errors import ConfigError, UserError
from nnunet_vit.files.integrity import flaw_of

NETPBM = (".ppm", ".pgm", ".pbm", ".pnm")
PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".gif")
KNOWN = (*PICTURES, *TIFF, *NETPBM, *PLACED, *DETACHED, *DICOM)


@dataclass(frozen=True)
class Reading:
    """What files do not say themselves.

    Attributes:
        pages: what the pages of a TIFF are.
        spacing: of volumes from pages, (Z, Y, X) in mm.
    """

    pages: Pages = ""
    spacing: tuple[float, ...] = ()


def reading_of(pages: str, spacing: str) -> Reading:
    """Return what --pages and --spacing say.

    Raises:
        ConfigError: one of them says something else.
    """
    if pages not in PAGES:
        raise ConfigError(f"--pages {pages}: allowed: slices, channels.")
    try:
        sizes = tuple(float(part) for part in spacing.split(",")) if spacing else ()
    except ValueError:
        sizes = (0.0,)
    if sizes and (len(sizes) != 3 or not all(0 < size < math.inf for size in sizes)):
        raise ConfigError(f"--spacing {spacing}: needed are three sizes in mm, like 2.5,0.7,0.7.")
    if sizes and pages != "slices":
        raise ConfigError("--spacing is for --pages slices alone.", fix="leave it out.")
    return Reading(cast(Pages, pages), sizes)


def is_known(path: Path) -> bool:
    """Tell whether a file is of a format that is read, by its ending or as DICOM without one."""
    ending = ending_of(path.name).lower()
    return ending in KNOWN or (not path.suffix and path.is_file() and is_dicom(path))


def read_pixels(path: Path, reading: Reading) -> Pixels | FileFault:
    """Return the pixels of a file, or of a folder with a DICOM series; or why there are none.

    Raises:
        MachineError: memory ran out, or pydicom is not installed.
    """
    ending = ending_of(path.name).lower()
    problem, remedy = flaw_of(path, ending) if not path.is_dir() else ("", "")
    if problem:
        return FileFault(path, problem, remedy)
    try:
        return _read(path, ending, reading)
    except UnusableError as error:
        return FileFault(path, error.problem, error.remedy)
    except UserError:
        raise
    except MemoryError as error:
        raise too_large(path, error) from error
    except Exception as error:  # whatever a reader raises on somebody's file
        return FileFault(path, f"cannot be read: {reason_of(error)}", AGAIN)


def _read(path: Path, ending: str, reading: Reading) -> Pixels:
    if path.is_dir() or ending in DICOM or (not path.suffix and is_dicom(path)):
        return read_dicom(path)
    if ending in TIFF:
        return read_tiff(path, reading.pages, reading.spacing)
    if ending in NETPBM:
        return read_netpbm(path)
    if ending in (*PLACED, *DETACHED):
        return read_placed(path, ending)
    if ending not in PICTURES:
        raise UnusableError("is of no format that is read", f"allowed: {', '.join(KNOWN)}")
    problem = oddity_of(path, ending)
    if problem[0]:
        raise UnusableError(*problem)
    return read_picture(path)
