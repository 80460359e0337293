"""nnU-Net's plans with a reader that hands out a case which has been read before."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from nnunetv2.imageio.base_reader_writer import BaseReaderWriter
from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

from nnunet_vit.data.preprocessing.read_cases import Pixels
from nnunet_vit.files.json_file import JsonObject

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array


class PlansOfReadCase(PlansManager):  # type: ignore[misc] # nnU-Net has no types
    """Plans of a dataset, with one case of it at hand."""

    def __init__(self, plans: JsonObject, pixels: Pixels) -> None:
        """Take the plans and the case's pixels."""
        super().__init__(plans)
        self._pixels: Pixels | None = pixels

    def forget(self) -> None:
        """Let go of the case."""
        self._pixels = None

    @property
    def image_reader_writer_class(self) -> "Callable[[], BaseReaderWriter]":
        """What nnU-Net calls for a reader."""
        pixels = self._pixels
        assert pixels is not None  # it is asked before `forget`
        return lambda: _KeptReader(pixels)


class _KeptReader(BaseReaderWriter):  # type: ignore[misc] # nnU-Net has no types
    supported_file_endings = ()

    def __init__(self, pixels: Pixels) -> None:
        self._pixels = pixels

    def read_images(self, image_fnames: Sequence[str]) -> "tuple[Array, JsonObject]":
        """Return the images whatever their names: float32 as from nnU-Net's readers."""
        import numpy as np

        return self._pixels.images.astype(np.float32), dict(self._pixels.properties)

    def read_seg(self, seg_fname: str) -> "tuple[Array, JsonObject]":
        """Return the label likewise."""
        import numpy as np

        return self._pixels.label.astype(np.float32), dict(self._pixels.properties)

    def write_seg(self, seg: "Array", output_fname: str, properties: JsonObject) -> None:
        """Refuse: nothing is written by it."""
        raise NotImplementedError(output_fname)
