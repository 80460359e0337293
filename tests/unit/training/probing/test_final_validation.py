"""The tiles of the final validation, as nnU-Net lays them."""

import pytest
from measured_steps import run_of

from nnunet_vit.planning.dataset_size import DatasetSize
from nnunet_vit.training.probing.final_validation import cases_of_validation, tiles_of_validation

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("image", "slices", "tile", "mirror", "tiles"),
    [
        ((64, 64), 10, (64, 64), True, 2 * 4),
        ((64, 64), 10, (64, 64), False, 2),
        ((50, 40), 10, (64, 64), False, 2),  # smaller images are padded
        ((128, 96), 10, (64, 64), False, 2 * 3 * 2),  # half a tile from one to the next
        ((64, 64), 100, (64, 64), False, 20),  # volumes of 10 slices
    ],
)
def test_tiles(image, slices, tile, mirror, tiles):
    run = run_of(train={"augmentation": {"mirror": mirror}})
    assert tiles_of_validation(run, DatasetSize(image, 10, slices), tile) == tiles


def test_a_fold_has_a_fifth_of_the_cases_and_all_has_all():
    run, size = run_of(), DatasetSize((64, 64), 11, 11)
    assert cases_of_validation(run, size) == 3
    data = run.data.model_copy(update={"fold": "all"})
    assert cases_of_validation(run.model_copy(update={"data": data}), size) == 11
