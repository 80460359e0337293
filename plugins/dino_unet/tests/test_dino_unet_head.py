"""The dino_unet head: levels, widths, deep supervision, gradients, options."""

import decoder_behaviour as decoders
import pytest
import torch
from torch import nn

from nnunet_vit.errors import ConfigError
from nnunet_vit.testing.building import images_of
from nnunet_vit.testing.maps import GivenMaps, NoiseMaps
from nnunet_vit_dino_unet import DinoUNetOptions
from nnunet_vit_dino_unet.detail import DetailBranch, level_sizes

pytestmark = pytest.mark.unit

HEAD = "dino_unet"
OPTIONS = {"hidden_size": 32}


@pytest.mark.parametrize(
    ("patch", "rows", "widths"),
    [
        (4, [12, 6, 3, 2], [64, 128, 128, 128]),
        (8, [24, 12, 6, 3, 2], [32, 64, 128, 128, 128]),
        (14, [42, 24, 12, 6, 3, 2], [16, 32, 64, 128, 128, 128]),
        (16, [48, 24, 12, 6, 3, 2], [16, 32, 64, 128, 128, 128]),
        (32, [96, 48, 24, 12, 6, 3, 2], [8, 16, 32, 64, 128, 128, 128]),
    ],
)
def test_the_levels_fit_the_grid(patch, rows, widths):
    sizes = level_sizes((3 * patch, 5 * patch), patch)
    assert [height for height, _ in sizes] == rows
    assert [width for _, width in sizes[-3:]] == [10, 5, 3]
    branch = DetailBranch(3, 128, patch)
    assert branch.widths == widths
    maps = branch(torch.randn(1, 3, 3 * patch, 5 * patch), sizes)
    assert [tuple(level.shape[1:]) for level in maps] == [
        (width, *size) for width, size in zip(widths, sizes, strict=True)
    ]


@pytest.mark.parametrize("patch", [2, 4, 8, 12, 14, 16, 32])
@pytest.mark.parametrize("hidden", [8, 17, 70])
def test_other_patches_and_widths_on_an_image_of_one_patch(head_on, patch, hidden):
    """Also in training, where one value per channel is all that some maps have."""
    model = head_on(NoiseMaps(patch), hidden_size=hidden).train()
    logits = model(torch.randn(1, 3, patch, patch))
    assert logits.shape == (1, 2, patch, patch)
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize(
    ("depth", "layers"),
    [(24, [5, 11, 17, 23]), (12, [2, 5, 8, 11]), (3, [0, 1, 2]), (2, [0, 1]), (1, [0])],
)
def test_the_blocks_that_are_read_end_with_the_last(head_on, depth, layers):
    model = head_on(NoiseMaps(16, depth))
    assert model(torch.zeros(1, 3, 32, 48)).shape == (1, 2, 32, 48)
    assert model.backbone.layers == layers


@pytest.mark.parametrize(
    ("patch", "scales"), [(8, [8, 4, 2, 1]), (14, [14, 8, 4, 2, 1]), (16, [16, 8, 4, 2, 1])]
)
def test_the_levels_of_deep_supervision(head_on, patch, scales):
    levels = head_on(NoiseMaps(patch), deep_supervision=True)(
        torch.randn(1, 3, 2 * patch, 3 * patch)
    )
    assert [tuple(level.shape) for level in levels] == [(1, 2, 2 * s, 3 * s) for s in scales]


def test_no_batch_statistics(tiny):
    names = {type(module).__name__ for module in tiny(exchange="both_ways").modules()}
    assert not any("BatchNorm" in name for name in names)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("exchange: deformable", "exchange: given 'deformable'; allowed: 'one_way' or 'both_ways'"),
        *decoders.beyond("hidden_size", 8, 2048),
        ("width: 64", "width: unknown key, given 'width'. Allowed: hidden_size, exchange"),
    ],
)
def test_options_out_of_bounds(option_error, line, text):
    assert option_error(line) == f"model.decoder.{text}"


def test_deep_supervision_changes_neither_parameters_nor_the_finest_logits(tiny):
    shapes = decoders.shapes_of_levels(tiny(deep_supervision=True), tiny(), images_of((64, 96)))
    assert shapes[0] == (2, 3, 64, 96)


@pytest.mark.parametrize("exchange", ["one_way", "both_ways"])
@pytest.mark.parametrize("levels", [1, 5])
@pytest.mark.parametrize("patches", [(4, 6), (2, 4)])
def test_every_parameter_learns(tiny, exchange, levels, patches):
    """With deep supervision and where the coarser levels are dropped; with one image."""
    model = tiny(patches, deep_supervision=True, exchange=exchange).train()
    for injector in model.injectors:
        nn.init.ones_(injector.scale)
    images = images_of((16 * patches[0], 16 * patches[1]), batch=1)
    loss = decoders.squares(model(images)[:levels])
    assert decoders.unlearned(model, loss) == ([], [])


def test_each_map_of_the_vit_and_the_image_reach_the_logits(head_on):
    torch.manual_seed(0)
    backbone = GivenMaps(16, [torch.randn(1, 12, 2, 3) for _ in range(4)])
    model, images = head_on(backbone).eval(), torch.randn(1, 3, 32, 48)
    changes = decoders.effects_of_maps(model, images)
    with torch.no_grad():
        changes.append((model(-images) - model(images)).abs().max().item())
    assert len(changes) == 5
    assert min(changes) > 1e-3


def test_half_precision_is_finite(head_on):
    """The first normalization keeps what the ViT says, however large, in range."""
    (logits,) = decoders.in_precision(head_on(NoiseMaps(16, scale=1000)), torch.randn(1, 3, 32, 48))
    assert logits.abs().max() < 100


@pytest.mark.parametrize("name", decoders.NOT_BY_BLOCKS)
def test_vits_that_do_not_run_by_blocks_are_refused_at_once(head_on, name):
    backbone = decoders.not_by_blocks(name)
    with pytest.raises(ConfigError, match="works between the blocks of the ViT"):
        head_on(backbone, exchange="both_ways")


def test_the_defaults():
    assert DinoUNetOptions().model_dump() == {"hidden_size": 128, "exchange": "one_way"}
