"""Strips of logits have the bits of the whole image; sums are freed when they are done."""

import gc
import weakref

import pytest
import torch
from torch.nn.functional import pad

from nnunet_vit.inference.tiling.forward import Forward
from nnunet_vit.inference.tiling.grid import Grid, mirrors_of
from nnunet_vit.inference.tiling.sums import Sums
from nnunet_vit.inference.tiling.window import SlidingWindow

pytestmark = pytest.mark.unit

CPU = torch.device("cpu")
TILE = (16, 24)


def window_of(folds, step, axes=None):
    torch.manual_seed(3)
    own = [torch.nn.Conv2d(2, 3, 5, padding=2) for _ in range(folds)]
    forward = Forward(own, TILE, CPU, print)
    forward.batch = 5
    return SlidingWindow(forward, Grid(TILE, step, mirrors_of(axes)), 3)


@pytest.mark.parametrize("size", [(16, 24), (17, 25), (100, 61), (5, 90), (90, 5), (7, 9)])
@pytest.mark.parametrize("step", [0.25, 0.5, 1.0])
@pytest.mark.parametrize(("folds", "axes"), [(1, None), (3, (0, 1))])
def test_the_same_bits(size, step, folds, axes):
    window = window_of(folds, step, axes)
    image = torch.randn(2, 1, *size)
    ((_, whole),) = window.logits([(None, image)])
    ends = [end for both in reversed(window.grid.padding(size)) for end in both]
    padded, asked = pad(image[:, 0], ends), []

    def pixels(region):
        asked.append(region)
        return padded[(slice(None), *region)]

    strips = list(window.rows(size, pixels))
    assert asked == window.grid.regions(padded.shape[1:])
    assert len(strips) == len(window.grid.steps(size)[0])
    assert torch.equal(torch.cat(strips, dim=1), whole[:, 0])


@pytest.fixture
def no_collection():
    gc.disable()
    yield
    gc.enable()


def test_sums_are_freed_when_nobody_needs_them(no_collection):
    sums = Sums(torch.zeros(2, 40, 60), Grid(TILE, 0.5), 1, outputs=3)
    freed = weakref.ref(sums)
    tiles = sums.tiles
    assert len(tiles) == len({tile.region[0].start for tile in tiles}) * 4
    del tiles, sums
    assert freed() is None
