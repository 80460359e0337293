"""Logits are those of nnU-Net's own predictor; batches hold tiles of several images."""

import copy
import threading
import time
from types import SimpleNamespace

import pytest
import torch
from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
from torch import nn

from nnunet_vit.inference.tiling.forward import Forward
from nnunet_vit.inference.tiling.grid import Grid, mirrors_of
from nnunet_vit.inference.tiling.window import AHEAD, SlidingWindow

pytestmark = pytest.mark.unit

CPU = torch.device("cpu")
FLAT = ((16, 24), [(1, 16, 24), (1, 5, 7), (1, 40, 61), (3, 33, 20)])
DEEP = ((8, 16, 16), [(8, 16, 16), (5, 40, 17), (20, 30, 40)])


@pytest.fixture(params=[1, 3])
def cores(request, monkeypatch):
    """The processor's cores, as torch counts them."""
    monkeypatch.setattr(torch, "get_num_threads", lambda: request.param)
    return request.param


def networks(dimensions, count):
    torch.manual_seed(3)
    conv = nn.Conv2d if dimensions == 2 else nn.Conv3d
    return [
        nn.Sequential(conv(2, 8, 3, padding=1), nn.ReLU(), conv(8, 3, 3, padding=1))
        for _ in range(count)
    ]


def window_of(own, tile, axes=None, step=0.5, tell=print):
    forward = Forward([copy.deepcopy(network) for network in own], tile, CPU, tell)
    return SlidingWindow(forward, Grid(tile, step, mirrors_of(axes)), 3), forward


def stock_logits(own, tile, axes, image, step=0.5):
    predictor = nnUNetPredictor(step, use_mirroring=axes is not None, device=CPU, allow_tqdm=False)
    predictor.configuration_manager = SimpleNamespace(patch_size=tile)
    predictor.label_manager = SimpleNamespace(num_segmentation_heads=3)
    predictor.network, predictor.allowed_mirroring_axes = copy.deepcopy(own[0]), axes
    predictor.list_of_parameters = [network.state_dict() for network in own]
    return predictor.predict_logits_from_preprocessed_data(image)


@pytest.mark.parametrize(("tile", "shapes"), [FLAT, DEEP], ids=["2d", "3d"])
@pytest.mark.parametrize("axes", [None, (1,), "all"])
@pytest.mark.parametrize("folds", [1, 3])
def test_the_logits_are_nnunets(tile, shapes, axes, folds, cores):
    axes = tuple(range(len(tile))) if axes == "all" else axes
    own = networks(len(tile), folds)
    window, forward = window_of(own, tile, axes)
    forward.batch = 5
    assert forward.teams == cores
    images = [(number, torch.randn(2, *shape)) for number, shape in enumerate(shapes)]
    found = list(window.logits(images))
    assert [number for number, _ in found] == list(range(len(shapes)))
    for (_, image), (_, logits) in zip(images, found, strict=True):
        expected = stock_logits(own, tile, axes, image)
        assert logits.dtype == expected.dtype == torch.half
        torch.testing.assert_close(logits, expected, atol=2e-3, rtol=2e-3)


@pytest.mark.parametrize("step", [0.3, 0.75, 1.0])
def test_tiles_lie_as_far_apart_as_nnunets(step):
    own, image = networks(2, 1), torch.randn(2, 1, 50, 61)
    window, _ = window_of(own, (16, 24), step=step)
    ((_, logits),) = window.logits([("a", image)])
    expected = stock_logits(own, (16, 24), None, image, step)
    torch.testing.assert_close(logits, expected, atol=2e-3, rtol=2e-3)


class Counting(nn.Module):
    """Says how many views it got, and has memory for so many only."""

    def __init__(self, most=100):
        super().__init__()
        self.sizes, self.most = [], most

    def forward(self, views):
        self.sizes.append(len(views))
        if len(views) > self.most:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to")
        return torch.cat([views, views[:, :1]], dim=1)


@pytest.fixture
def one_core(monkeypatch):
    """The processor has a single core."""
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)


class OneAtATime(nn.Module):
    """Has memory for a single view, whichever of its copies computes it."""

    computing = threading.Semaphore(1)

    def forward(self, views):
        if len(views) > 1 or not self.computing.acquire(blocking=False):
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to")
        time.sleep(0.002)
        self.computing.release()
        return torch.cat([views, views[:, :1]], dim=1)


def test_memory_for_one_tile_at_a_time_is_enough(monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    forward = Forward([OneAtATime()], (8, 8), CPU, [].append)
    assert forward.teams == 3
    image = torch.ones(2, 1, 30, 30)
    ((_, logits),) = SlidingWindow(forward, Grid((8, 8), 0.5), 3).logits([("a", image)])
    torch.testing.assert_close(logits[:2].float(), image, atol=0.05, rtol=0.05)
    assert forward.at_once == 1


@pytest.mark.usefixtures("one_core")
def test_small_images_share_a_batch():
    network = Counting()
    forward = Forward([network], (8, 8), CPU, print)
    forward.batch = 8
    window = SlidingWindow(forward, Grid((8, 8), 0.5, mirrors_of((0, 1))), 3)
    images = ((number, torch.full((2, 1, 8, 8), float(number))) for number in range(5))
    found = dict(window.logits(images))
    assert network.sizes == [8, 8, 4]  # two images in four mirrors each
    for number, logits in found.items():
        torch.testing.assert_close(logits, torch.full((3, 1, 8, 8), float(number)).half())


@pytest.mark.parametrize(("most", "ahead"), [(2**28, AHEAD), (0, 0)])
def test_only_a_few_images_are_open_at_once(monkeypatch, most, ahead):
    """Fewer where the logits of a batch are large: then none is computed ahead."""
    monkeypatch.setattr("nnunet_vit.inference.tiling.window.MOST_AHEAD", most)
    window, forward = window_of(networks(2, 1), (8, 8))
    forward.batch = 4
    taken, open_images = [], []

    def images():
        for number in range(100):
            taken.append(number)
            yield number, torch.zeros(2, 1, 8, 8)

    for number, _ in window.logits(images()):
        open_images.append(len(taken) - number)
    assert max(open_images) == (ahead + 1) * forward.at_once


@pytest.mark.usefixtures("one_core")
def test_batches_are_halved_where_memory_is_short():
    network, told = Counting(most=3), []
    forward = Forward([network], (8, 8), CPU, told.append)
    forward.batch = 16
    window = SlidingWindow(forward, Grid((8, 8), 0.5), 3)
    image = torch.randn(2, 1, 30, 30)
    ((_, logits),) = window.logits([("a", image)])
    torch.testing.assert_close(logits[:2].float(), image, atol=0.01, rtol=0.01)
    assert forward.batch == 2
    assert told[-1] == "Memory is short: 2 tiles at once from now on."


@pytest.mark.usefixtures("one_core")
def test_other_errors_and_the_last_tile_are_not_tried_again():
    network = Counting(most=0)
    with pytest.raises(RuntimeError, match="can't allocate"):
        Forward([network], (8, 8), CPU, print)(torch.zeros(2, 2, 8, 8))
    assert network.sizes[-1] == 1
    with pytest.raises(RuntimeError, match=r"normalized_shape|expected"):
        Forward([nn.LayerNorm(5)], (8, 8), CPU, print)(torch.zeros(2, 2, 8, 8))
