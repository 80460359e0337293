"""Pictures of patches before and after their augmentation."""

import numpy as np
import pytest

from nnunet_vit.report.overlay import GAP, LINE, Legend
from nnunet_vit.report.patch_rows import ShownPatch, patches_picture

pytestmark = pytest.mark.unit

EDGE = 400  # of views, which are not enlarged then
LEGEND = Legend({1: "disc"}, ignored=2)


def patch(image, augmented, label=0):
    mask = np.zeros((EDGE, EDGE), int)
    mask[100:200, 100:200] = label
    return ShownPatch("case", image, mask, augmented, mask.T[::-1])


def views(picture):
    row = picture[LINE : LINE + EDGE]
    return [row[:, start : start + EDGE] for start in range(0, row.shape[1], EDGE + GAP)]


def test_four_views_and_a_legend():
    image = np.full((EDGE, EDGE, 3), 100.0)
    image[0] = 200
    picture = patches_picture([patch(image, image[::-1], 1)] * 2, LEGEND)
    assert picture.shape == (2 * (LINE + EDGE) + LINE, 4 * EDGE + 3 * GAP, 3)
    before, masked, after, after_masked = views(picture)
    assert (before == image).all() and (after == image[::-1]).all()
    changed, after_changed = ((one != image[5, 5]).any(-1) for one in (masked, after_masked))
    assert changed[100:200, 100:200].all() and changed[1:].sum() == 100 * 100
    assert after_changed[200:300, 100:200].all()


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_any_range_is_stretched_alike(channels):
    generator = np.random.default_rng(0)
    image = generator.normal(size=(EDGE, EDGE, channels))
    before, _, after, _ = views(patches_picture([patch(image, 0.5 * image + 1)], LEGEND))
    assert after.mean() > before.mean() + 20  # brighter stays brighter
    assert after.std() < 0.7 * before.std()


def test_only_labels_that_are_there_are_named():
    image = np.full((EDGE, EDGE, 3), 100.0)
    lines = [patches_picture([patch(image, image, label)], LEGEND)[-LINE:] for label in (0, 1, 2)]
    assert (lines[0] == 255).all()
    assert not (lines[1] == lines[2]).all() and lines[1].min() < 100
