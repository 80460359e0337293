"""Components by nnU-Net's function agree with scipy's; steps live in JSON."""

import json

import numpy as np
import pytest
from scipy import ndimage

from nnunet_vit.errors import ModelError
from nnunet_vit.evaluation.ranking.postprocessing import (
    postprocessed,
    steps_as_json,
    steps_of_json,
)

pytestmark = pytest.mark.unit

STEPS = ((1, 2), (1,), ((1, 2),))


def largest(mask, labels):
    """Return a mask whose other components are gone, by scipy; equals stay together."""
    parts, count = ndimage.label(np.isin(mask, labels), np.ones((3,) * mask.ndim))
    sizes = np.bincount(parts.ravel(), minlength=count + 1)[1:]
    kept = np.isin(parts, 1 + np.flatnonzero(sizes == sizes.max(initial=0)))
    return np.where((parts > 0) & ~kept, 0, mask)


@pytest.mark.parametrize("shape", [(1, 24, 31), (5, 12, 13)])
def test_components_agree_with_scipy(shape):
    random = np.random.default_rng(7)
    for share in np.linspace(0, 1, 100):
        mask = (random.random(shape) < share) * random.integers(1, 4, shape)
        expected = largest(largest(mask, [1, 2]), [1])
        assert np.array_equal(postprocessed(mask, ((1, 2), (1,))), expected)


def test_a_region_is_its_labels():
    mask = np.random.default_rng(1).integers(0, 3, (1, 20, 20))
    assert np.array_equal(postprocessed(mask, (((1, 2),),)), largest(mask, [1, 2]))
    assert postprocessed(mask, ()) is mask


def test_steps_in_json(tmp_path):
    content = json.loads(json.dumps(steps_as_json(STEPS)))
    assert content[2] == {"keep_largest_component_of": [[1, 2]]}
    assert steps_of_json(content, tmp_path) == STEPS


@pytest.mark.parametrize(
    "content",
    [
        {},
        [3],
        [{}],
        [{"keep_largest_component_of": []}],
        [{"keep_largest_component_of": ["x"]}],
        [{"keep_largest_component_of": 1}],
    ],
)
def test_steps_that_are_none(content, tmp_path):
    with pytest.raises(ModelError, match="its post-processing cannot be read"):
        steps_of_json(content, tmp_path / "best.json")
