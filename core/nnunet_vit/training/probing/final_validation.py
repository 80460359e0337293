"""What the final validation of a planned run will take: tiles and cases."""

from math import ceil, prod

from nnunetv2.inference.sliding_window_prediction import compute_steps_for_sliding_window

from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.planning.dataset_size import DatasetSize

FOLDS = 5
OVERLAP = 0.5  # of nnU-Net's tiles
MIRRORED = 4  # predictions of a tile: as it is, mirrored across each axis, and across both


def cases_of_validation(run: ViTnnUNetConfig, size: DatasetSize) -> int:
    """Return the cases that a fold is validated on; of fold `all` those that it trains on."""
    return size.cases if run.data.folds == ["all"] else ceil(size.cases / FOLDS)


def tiles_of_validation(run: ViTnnUNetConfig, size: DatasetSize, tile: tuple[int, int]) -> int:
    """Return how many tiles go through the network, each image as large as the median one.

    Args:
        run: of one fold or several, each validated as many times.
        size: of the dataset.
        tile: (H, W) in pixels.
    """
    image = tuple(max(edge, whole) for edge, whole in zip(size.image, tile, strict=True))
    steps = compute_steps_for_sliding_window(image, tile, OVERLAP)
    slices = ceil(size.slices * cases_of_validation(run, size) / size.cases)
    return slices * prod(map(len, steps)) * (MIRRORED if run.train.augmentation.mirror else 1)
