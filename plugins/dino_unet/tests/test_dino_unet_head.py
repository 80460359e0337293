"""The dino_unet head: levels, widths, deep supervision, gradients, options."""

from pathlib import Path

import pytest
import torch
from torch import nn

from nnunet_vit.testing.building import images_of
from nnunet_vit_dino_unet.detail import DetailBranch, level_sizes

pytestmark = pytest.mark.unit


class Random(nn.Module):
    """A backbone of any patch and depth whose maps are noise, and that notes what is asked for."""

    embed_dim = 12

    def __init__(self, patch_size, depth=12, scale=1):
        super().__init__()
        self.patch_size, self.depth, self.scale = patch_size, depth, scale

    def feature_maps(self, images, layers):
        self.layers = list(layers)
        rows, columns = (edge // self.patch_size for edge in images.shape[-2:])
        return [self.scale * torch.randn(len(images), 12, rows, columns) for _ in layers]


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
def test_other_patches_and_widths_on_an_image_of_one_patch(dino_unet_on, patch, hidden):
    """Also in training, where one value per channel is all that some maps have."""
    model = dino_unet_on(Random(patch), hidden_size=hidden).train()
    logits = model(torch.randn(1, 3, patch, patch))
    assert logits.shape == (1, 2, patch, patch)
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize(
    ("depth", "layers"),
    [(24, [5, 11, 17, 23]), (12, [2, 5, 8, 11]), (3, [0, 1, 2]), (2, [0, 1]), (1, [0])],
)
def test_the_blocks_that_are_read_end_with_the_last(dino_unet_on, depth, layers):
    model = dino_unet_on(Random(16, depth))
    assert model(torch.zeros(1, 3, 32, 48)).shape == (1, 2, 32, 48)
    assert model.backbone.layers == layers


@pytest.mark.parametrize(
    ("patch", "scales"), [(8, [8, 4, 2, 1]), (14, [14, 8, 4, 2, 1]), (16, [16, 8, 4, 2, 1])]
)
def test_the_levels_of_deep_supervision(dino_unet_on, patch, scales):
    levels = dino_unet_on(Random(patch), deep=True)(torch.randn(1, 3, 2 * patch, 3 * patch))
    assert [tuple(level.shape) for level in levels] == [(1, 2, 2 * s, 3 * s) for s in scales]


def test_deep_supervision_changes_neither_parameters_nor_the_finest_logits(dino_unet):
    deep, plain = (dino_unet(deep=deep).eval() for deep in (True, False))
    assert deep.state_dict().keys() == plain.state_dict().keys()
    images = images_of((64, 96))
    with torch.no_grad():
        assert torch.equal(deep(images)[0], plain(images))


@pytest.mark.parametrize("exchange", ["one_way", "both_ways"])
@pytest.mark.parametrize("levels", [1, 5])
@pytest.mark.parametrize("patches", [(4, 6), (2, 4)])
def test_every_parameter_learns(dino_unet, exchange, levels, patches):
    """With deep supervision and where the coarser levels are dropped; with one image."""
    model = dino_unet(rows=patches[0], columns=patches[1], deep=True, exchange=exchange).train()
    for injector in model.injectors:
        nn.init.ones_(injector.scale)
    images = images_of((16 * patches[0], 16 * patches[1]), batch=1)
    sum(level.square().mean() for level in model(images)[:levels]).backward()
    idle = [n for n, value in model.named_parameters() if value.grad is None]
    zero = [n for n, value in model.named_parameters() if not value.grad.any()]
    assert (idle, zero) == ([], [])


def test_each_map_of_the_vit_and_the_image_reach_the_logits(dino_unet_on):
    class Given(Random):
        def feature_maps(self, images, layers):
            return self.maps

    torch.manual_seed(0)
    model = dino_unet_on(Given(16)).eval()
    model.backbone.maps = [torch.randn(1, 12, 2, 3) for _ in range(4)]
    images, changes = torch.randn(1, 3, 32, 48), []
    with torch.no_grad():
        before = model(images)
        for level, kept in enumerate(model.backbone.maps):
            model.backbone.maps[level] = -kept
            changes.append((model(images) - before).abs().max())
            model.backbone.maps[level] = kept
        changes.append((model(-images) - before).abs().max())
    assert min(changes) > 1e-3


@pytest.mark.parametrize("exchange", ["one_way", "both_ways"])
def test_a_few_steps_lower_the_loss(dino_unet, exchange):
    model = dino_unet(rows=2, columns=3, exchange=exchange).train()
    images, truth = images_of((32, 48)), torch.randint(0, 3, (2, 32, 48))
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    losses = []
    for _ in range(4):
        loss = nn.functional.cross_entropy(model(images), truth)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]


def test_half_precision_is_finite(dino_unet_on):
    """The first normalization keeps what the ViT says, however large, in range."""
    model = dino_unet_on(Random(16, scale=1000)).eval()
    with torch.no_grad(), torch.autocast("cpu", torch.float16):
        logits = model(torch.randn(1, 3, 32, 48))
    assert logits.abs().max() < 100


def test_no_batch_statistics(dino_unet):
    names = {type(module).__name__ for module in dino_unet(exchange="both_ways").modules()}
    assert not any("BatchNorm" in name for name in names)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("exchange: deformable", "exchange: given 'deformable'; allowed: 'one_way' or 'both_ways'"),
        ("hidden_size: 4", "hidden_size: given 4; allowed: a whole number from 8 to 2048"),
        ("width: 64", "width: unknown key, given 'width'. Allowed: hidden_size, exchange"),
    ],
)
def test_options_out_of_bounds(tmp_path, monkeypatch, line, text):
    from nnunet_vit.config.load import load_run
    from nnunet_vit.errors import ConfigError

    monkeypatch.chdir(tmp_path)
    Path("run.yaml").write_text(f"model:\n  head: dino_unet\n  decoder:\n    {line}\n")
    with pytest.raises(ConfigError) as caught:
        load_run(Path("run.yaml"))
    assert str(caught.value) == f"run.yaml, line 4, model.decoder.{text}"


def test_the_options_are_described():
    from nnunet_vit_dino_unet import DinoUNetOptions

    assert all(field.description for field in DinoUNetOptions.model_fields.values())
    assert DinoUNetOptions().model_dump() == {"hidden_size": 128, "exchange": "one_way"}


@pytest.mark.parametrize("name", ["samvit_base_patch16", "xcit_nano_12_p16_224"])
def test_vits_that_do_not_run_by_blocks_are_refused_at_once(name):
    import timm

    from nnunet_vit.errors import ConfigError
    from nnunet_vit.modeling.backbone import ViTBackbone
    from nnunet_vit.testing.building import head_on

    model = timm.create_model(name, embed_dim=32, depth=2, num_heads=2, img_size=64)
    backbone = ViTBackbone(model)
    with pytest.raises(ConfigError, match="works between the blocks of the ViT"):
        head_on("dino_unet", backbone, {"exchange": "both_ways"})
