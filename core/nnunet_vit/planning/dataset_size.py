"""How large a dataset is, by nnU-Net's own plans of it."""

from dataclasses import dataclass
from math import prod

from nnunet_vit.data.dataset import Dataset
from nnunet_vit.data.preprocessing.preprocessed import FINGERPRINT
from nnunet_vit.errors import DataError
from nnunet_vit.files.json_file import JsonObject, read_json
from nnunet_vit.nnunet.plans_file import REDO

MEDIAN = "median_image_size_in_voxels"  # of a configuration, after resampling
SHAPES = "shapes_after_crop"  # of the fingerprint, one for each case


@dataclass(frozen=True)
class DatasetSize:
    """How much there is to train on.

    Attributes:
        image: (H, W) of the median image after resampling, pixels.
        cases: how many.
        slices: planes of all cases; of 2D images as many as cases.
    """

    image: tuple[int, int]
    cases: int
    slices: int

    @property
    def pixels(self) -> int:
        """Pixels of all slices, each as large as the median image."""
        return self.slices * prod(self.image)


def size_of_plans(dataset: Dataset, plans: JsonObject, own: JsonObject) -> DatasetSize:
    """Return the size of a dataset that nnU-Net has planned.

    Args:
        dataset: planned.
        plans: nnU-Net's, checked.
        own: the configuration with what it inherits, checked.

    Raises:
        DataError: fingerprint or plans lack the sizes.
    """
    height, width = _median(dataset, own)
    path = dataset.preprocessed / FINGERPRINT
    fingerprint = read_json(path, REDO)
    shapes = fingerprint.get(SHAPES) if isinstance(fingerprint, dict) else None
    first = plans["transpose_forward"][0]
    if not isinstance(shapes, list) or not shapes or not all(map(_is_shape, shapes)):
        raise DataError(f"{path}: {SHAPES} is no list of each case's three sizes.", REDO)
    return DatasetSize((height, width), len(shapes), sum(shape[first] for shape in shapes))


def _median(dataset: Dataset, own: JsonObject) -> tuple[int, int]:
    sizes = own.get(MEDIAN)
    if not isinstance(sizes, list) or not all(isinstance(n, int | float) and n > 0 for n in sizes):
        raise DataError(f"The plans of {dataset.name} have no {MEDIAN}.", REDO)
    height, width = sizes[-2:]
    return round(height), round(width)


def _is_shape(value: object) -> bool:
    return isinstance(value, list) and len(value) == 3 and all(isinstance(n, int) for n in value)
