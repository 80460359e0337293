"""The images of a case, as nnU-Net reads each of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit.data.checks.raster_reading import Raster, read
from nnunet_vit.data.file_faults import FileFault

if TYPE_CHECKING:
    from nnunetv2.imageio.base_reader_writer import BaseReaderWriter


@dataclass(frozen=True)
class Rasters:
    """The images of a case as nnU-Net reads them.

    Attributes:
        files: of the case.
        images: what is in each of them.
    """

    files: tuple[Path, ...]
    images: tuple[Raster, ...]


def read_case(
    files: Sequence[Path], reader: "type[BaseReaderWriter]", ending: str
) -> Rasters | list[FileFault]:
    """Return the images of a case as nnU-Net reads them, or the fault of each file that has one."""
    rasters = [read(file, reader, ending, "image") for file in files]
    faults = [raster for raster in rasters if isinstance(raster, FileFault)]
    return faults or Rasters(
        tuple(files), tuple(raster for raster in rasters if isinstance(raster, Raster))
    )
