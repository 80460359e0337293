"""Small pictures grow by a whole factor, large ones shrink, and labels stay labels."""

import numpy as np
import pytest

from nnunet_vit.report.view_size import resized, view_size

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("shape", "size"),
    [((100, 50), (400, 200)), ((320, 320), (320, 320)), ((2000, 500), (1000, 250)),
     ((3, 9000), (1, 1000))],
)  # fmt: skip
def test_the_size(shape, size):
    assert view_size(shape, 320, 1000) == size


def test_labels_and_colours():
    labels = np.array([[0, 7], [3, 0]])
    assert np.array_equal(resized(labels, (4, 4)), labels.repeat(2, axis=0).repeat(2, axis=1))
    colours = np.zeros((4, 4, 3), np.uint8)
    colours[:2] = 200
    assert np.array_equal(resized(colours, (2, 2))[:, 0, 0], [200, 0])
    assert resized(colours, (1, 1))[0, 0, 0] == 100
