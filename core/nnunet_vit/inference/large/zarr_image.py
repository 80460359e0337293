"""An OME-Zarr of any size, read in strips."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from nnunet_vit.errors import DataError, MachineError, first_line
from nnunet_vit.inference.large.source import Ends
from nnunet_vit.quantities import sizes_text

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array

PLANE = ("y", "x")


class ZarrImage:
    """The finest resolution of an OME-Zarr.

    Attributes:
        shape: (C, Y, X).
        chunk: lines that are stored together.
        wide: columns that are stored together.
        bytes: of a value.
        level: which of the image's resolutions it is.
    """

    def __init__(self, folder: Path) -> None:
        """Open it.

        Raises:
            DataError: it is no OME-Zarr of one picture, or damaged.
            MachineError: zarr is not installed.
        """
        try:
            import zarr
        except ImportError as error:
            raise MachineError(
                f"{folder} is an OME-Zarr, and zarr is not installed.",
                fix="pip install 'nnunet-vit[zarr]'",
            ) from error
        try:
            group = zarr.open_group(str(folder), mode="r")
            attributes = dict(group.attrs)
            image = _first_image(attributes)
            paths = [entry["path"] for entry in image["datasets"]]
            axes = [_name(axis) for axis in image["axes"]]
            self._values = group[paths[0]]
        except Exception as error:  # zarr's own classes, KeyError, ValueError, the system's
            raise DataError(
                f"{folder} is no OME-Zarr that can be read: {first_line(error)}.",
                fix="an OME-Zarr (NGFF 0.4 or 0.5) has 'multiscales' in its attributes.",
            ) from error
        sizes = dict(zip(axes, self._values.shape, strict=True))
        deep = {axis for axis, size in sizes.items() if size > 1 and axis not in ("c", *PLANE)}
        if deep or axes[-2:] != [*PLANE]:
            raise DataError(
                f"{folder} has the axes {''.join(axes)} ({sizes_text(sizes.values())}); needed: "
                "one picture, cyx.",
                fix="save one picture per OME-Zarr.",
            )
        self._axes = axes
        self.shape = (sizes.get("c", 1), sizes["y"], sizes["x"])
        self.chunk, self.wide = map(int, self._values.chunks[-2:])
        self.bytes = self._values.dtype.itemsize
        self.level = f"the finest of {len(paths)} levels" if len(paths) > 1 else ""

    def part(self, down: Ends, across: Ends) -> "Array":
        """Return the pixels (C, lines, columns) of a part in the file's own type."""
        wanted = {"c": slice(None), "y": slice(*down), "x": slice(*across)}
        found = np.asarray(self._values[tuple(wanted.get(axis, 0) for axis in self._axes)])
        return found.reshape(self.shape[0], down[1] - down[0], across[1] - across[0])

    def close(self) -> None:
        """Leave the folder; nothing is open."""


def _first_image(attributes: Mapping[str, object]) -> dict[str, list[dict[str, str]]]:
    """Return the first entry of multiscales, of NGFF 0.5 or before."""
    inner = attributes.get("ome", attributes)
    every = cast("Mapping[str, list[dict[str, list[dict[str, str]]]]]", inner)["multiscales"]
    return every[0]


def _name(axis: object) -> str:
    return str(axis["name"] if isinstance(axis, dict) else axis).lower()
