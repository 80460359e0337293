"""How detail and ViT exchange: where they look, what is left alone, what gets a gradient."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from nnunet_vit.testing.building import images_of
from nnunet_vit.testing.small_vits import SMALL_VITS
from nnunet_vit_dino_unet.exchange import (
    Extractor,
    Injector,
    cells,
    interpolation_bias,
    surroundings,
    uncelled,
)

pytestmark = pytest.mark.unit


def images_for(backbone, batch=1):
    patch = SMALL_VITS[backbone].patch_size
    return images_of((4 * patch, 6 * patch), batch)


@pytest.mark.parametrize("factor", [1, 2])
def test_cells_are_the_places_of_each_patch(factor):
    maps = torch.randn(2, 3, 4 * factor, 5 * factor)
    parts = cells(maps, factor)
    assert parts.shape == (2, 20, factor**2, 3)
    row, column = 3 * factor, 2 * factor
    cell = maps[1, :, row : row + factor, column : column + factor]
    assert torch.equal(parts[1, 3 * 5 + 2], cell.flatten(1).T)
    assert torch.equal(uncelled(parts, maps.shape, factor), maps)


@pytest.mark.parametrize("size", [(1, 1), (1, 4), (3, 5)])
def test_surroundings_are_nine_places_with_the_edge_repeated(size):
    maps = torch.randn(2, 3, *size)
    padded = functional.pad(maps, (1, 1, 1, 1), mode="replicate")
    expected = functional.unfold(padded, 3).view(2, 3, 9, -1).permute(0, 3, 2, 1)
    assert torch.equal(surroundings(maps), expected)


@pytest.mark.parametrize("factor", [1, 2])
def test_attention_begins_as_bilinear_interpolation(factor):
    maps = torch.randn(1, 3, 4, 5)
    shares = interpolation_bias(factor).softmax(dim=-1)
    mixed = uncelled(shares @ surroundings(maps), (1, 3, 4 * factor, 5 * factor), factor)
    expected = functional.interpolate(maps, scale_factor=factor, mode="bilinear")
    assert (mixed - expected).std() < 0.15 * expected.std()
    centred = torch.tensor([0.01, 0.01, 0.01, 0.01, 1.0, 0.01, 0.01, 0.01, 0.01]).log()
    torch.testing.assert_close(interpolation_bias(1), centred[None])


def test_a_place_reads_its_patch_and_the_eight_around_it():
    torch.manual_seed(0)
    extractor = Extractor(width=32, embed_dim=6)
    extractor.mixing = nn.Identity()  # its convolution would carry an answer on
    levels = [torch.randn(1, 32, *size) for size in ((12, 16), (6, 8), (3, 4))]
    maps = torch.randn(1, 6, 6, 8)
    other = maps.clone()
    other[:, :, 2, 5] = -maps[:, :, 2, 5]
    with torch.no_grad():
        pairs = zip(extractor(levels, maps), extractor(levels, other), strict=True)
        fine, same, coarse = ((one - two)[0].abs().amax(dim=0) for one, two in pairs)
    for moved, rows, columns in (
        (fine, slice(2, 8), slice(8, 14)),
        (same, slice(1, 4), slice(4, 7)),
        (coarse, slice(0, 3), slice(1, 4)),
    ):
        assert moved[rows, columns].min() > 0
        moved[rows, columns] = 0
        assert moved.max() == 0


def test_a_patch_reads_detail_in_and_around_it():
    torch.manual_seed(0)
    injector = Injector(width=32, embed_dim=6)
    nn.init.ones_(injector.scale)
    levels = [torch.randn(1, 32, *size) for size in ((12, 16), (6, 8), (3, 4))]
    maps = torch.randn(1, 6, 6, 8)
    reaches = []
    with torch.no_grad():
        before = injector(maps, levels)
        for number, place in enumerate(((5, 9), (2, 4), (1, 2))):
            changed = [level.clone() for level in levels]
            changed[number][:, :, place[0], place[1]] *= -1
            moved = (injector(maps, changed) - before)[0].abs().amax(dim=0).nonzero()
            reaches.append((moved.min(dim=0).values.tolist(), moved.max(dim=0).values.tolist()))
    assert reaches == [([2, 4], [2, 4]), ([1, 3], [3, 5]), ([1, 3], [4, 6])]


@pytest.mark.parametrize("backbone", SMALL_VITS)
def test_the_vit_keeps_its_features_at_first(tiny, backbone):
    """The same weights then give the same logits, whichever way the exchange goes."""
    both = tiny(backbone=backbone, exchange="both_ways").eval()
    one = tiny(backbone=backbone).eval()
    missing, unexpected = one.load_state_dict(both.state_dict(), strict=False)
    assert missing == [] and {name.split(".")[0] for name in unexpected} == {"injectors"}
    images, seen = images_for(backbone), []
    for extractor in both.extractors:
        extractor.register_forward_pre_hook(lambda _, given: seen.append(given[1]))
    with torch.no_grad():
        torch.testing.assert_close(both(images), one(images), rtol=1e-4, atol=1e-5)
        expected = one.backbone.feature_maps(images, one.layers)
        torch.testing.assert_close(seen, expected, rtol=1e-4, atol=1e-4)
        seen.clear()
        for injector in both.injectors:
            nn.init.ones_(injector.scale)
        both(images)
    differences = [(a - b).abs().max() for a, b in zip(seen, expected, strict=True)]
    assert min(differences) > 1e-3


@pytest.mark.parametrize("backbone", SMALL_VITS)
def test_a_stage_for_each_quarter_and_no_more_than_blocks(tiny, backbone):
    layers = {
        "dinov3": [0, 1, 2, 3],
        "dinov2": [0, 1, 2],
        "mae": [0, 2, 3, 5],
        "eva02": [0, 1],
        "siglip": [0],
    }
    model = tiny(backbone=backbone, exchange="both_ways")
    assert model.layers == layers[backbone]
    assert len(model.extractors) == len(model.injectors) == len(model.layers)
    assert len(tiny(backbone=backbone).injectors) == 0


def test_a_frozen_vit_keeps_no_graph_in_one_way(tiny):
    model = tiny(method="frozen").train()
    seen = []
    for extractor in model.extractors:
        extractor.register_forward_pre_hook(lambda _, given: seen.append(given[1].requires_grad))
    model(images_for("dinov3")).square().mean().backward()
    assert seen == [False] * 4


@pytest.mark.parametrize("method", ["frozen", "lora", "full"])
@pytest.mark.parametrize("backbone", ["dinov3", "eva02", "siglip"])
def test_what_is_injected_learns_also_through_a_frozen_vit(tiny, backbone, method):
    model = tiny(backbone=backbone, method=method, exchange="both_ways").train()
    for injector in model.injectors:
        nn.init.ones_(injector.scale)
    model(images_for(backbone)).square().mean().backward()
    trained = {n: v.grad for n, v in model.injectors.named_parameters()}
    idle = [n for n, gradient in trained.items() if gradient is None or not gradient.any()]
    assert idle == []


def test_checkpointed_blocks_give_the_same_gradients(tiny):
    from nnunet_vit.modeling.runtime.microbatches import checkpoint_blocks

    gradients = []
    for checkpointed in (False, True):
        model = tiny(method="lora", exchange="both_ways").train()
        for injector in model.injectors:
            nn.init.ones_(injector.scale)
        if checkpointed:
            checkpoint_blocks(model)
        model(images_for("dinov3")).square().mean().backward()
        gradients.append({n: v.grad for n, v in model.named_parameters() if v.requires_grad})
    torch.testing.assert_close(*gradients)
