"""A whole slide, read in strips by tiffslide or OpenSlide."""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nnunet_vit.errors import DataError, MachineError, first_line
from nnunet_vit.inference.large.source import Ends

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array

ONLY_OPENSLIDE = (".mrxs", ".vms", ".vmu", ".bif")
READERS = (("tiffslide", "TiffSlide"), ("openslide", "OpenSlide"))
USUAL = 256  # edge of a slide's tiles, where it does not say
WHITE = 255  # where nothing was scanned


class SlideImage:
    """The finest resolution of a slide in red, green and blue.

    Attributes:
        shape: (C, Y, X).
        chunk: lines that are stored together.
        wide: columns that are stored together.
        bytes: of a value.
        level: which of the slide's resolutions it is.
    """

    bytes = 1

    def __init__(self, file: Path) -> None:
        """Open it.

        Raises:
            DataError: it is damaged.
            MachineError: no package that reads it is installed.
        """
        opening = _opening(file)
        try:
            self._slide = opening(str(file))
            width, height = self._slide.level_dimensions[0]
            known = dict(self._slide.properties)
            count = len(self._slide.level_dimensions)
        except Exception as error:  # tifffile's, OpenSlide's and the system's
            raise DataError(f"{file} is no slide that can be read: {first_line(error)}.") from error
        self.shape = (3, int(height), int(width))
        self.chunk = int(_of(known, "level[0].tile-height") or USUAL)
        self.wide = int(_of(known, "level[0].tile-width") or USUAL)
        micrometres = _of(known, "mpp-y")
        finest = [f"the finest of {count} levels"] if count > 1 else []
        size = [f"{float(micrometres):.3g} µm per pixel"] if micrometres else []
        self.level = ", ".join([*finest, *size])

    def part(self, down: Ends, across: Ends) -> "Array":
        """Return the pixels (C, lines, columns) of a part in the file's own type."""
        (top, bottom), (left, right) = down, across
        region = self._slide.read_region((left, top), 0, (right - left, bottom - top))
        values = np.asarray(region)
        if values.shape[-1] == 4:
            values = np.where(values[..., 3:] > 0, values[..., :3], np.uint8(WHITE))
        found: Array = values.transpose(2, 0, 1)
        return found

    def close(self) -> None:
        """Close the file."""
        self._slide.close()


def _opening(file: Path) -> Any:  # noqa: ANN401 - neither package has types
    """Return what opens it: tiffslide, which needs no library of C, or else OpenSlide."""
    alone = file.name.lower().endswith(ONLY_OPENSLIDE)
    for module, name in READERS[alone:]:
        try:
            return getattr(import_module(module), name)
        except (ImportError, OSError):  # OSError: OpenSlide's library of C is missing
            continue
    needed = "openslide-python openslide-bin" if alone else "'nnunet-vit[slides]'"
    raise MachineError(
        f"{file} is a whole slide, and nothing that reads it is installed.", f"pip install {needed}"
    )


def _of(properties: dict[str, Any], key: str) -> Any:  # noqa: ANN401 - text or a number
    found = (properties.get(f"{module}.{key}") for module, _ in READERS)
    return next((value for value in found if value is not None), None)
