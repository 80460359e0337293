"""The unetr head: shapes, levels, gradients, options, its two ways of upsampling."""

from pathlib import Path

import pytest
import torch
from torch import nn

pytestmark = pytest.mark.unit

UPSAMPLINGS = ["deconvolution", "bilinear"]


class Random(nn.Module):
    """A backbone of any patch and depth whose maps are noise, and that notes what is asked for."""

    embed_dim = 6

    def __init__(self, patch_size, depth=12):
        super().__init__()
        self.patch_size, self.depth = patch_size, depth

    def feature_maps(self, images, layers):
        assert all(0 <= layer < self.depth for layer in layers)
        self.layers = list(layers)
        rows, columns = (edge // self.patch_size for edge in images.shape[-2:])
        return [torch.randn(len(images), self.embed_dim, rows, columns) for _ in layers]


@pytest.mark.parametrize(
    ("backbone", "size", "batch"),
    [
        ("timm:test_vit", (32, 48), 1),
        ("timm:test_vit", (80, 16), 3),
        ("timm:eva02_tiny_patch14_224", (28, 56), 1),
        ("timm:eva02_tiny_patch14_224", (70, 14), 2),
    ],
)
@pytest.mark.parametrize("upsampling", UPSAMPLINGS)
def test_shapes(unetr, backbone, size, batch, upsampling):
    model = unetr(
        backbone, classes=5, in_channels=2, image_size=size, options={"upsampling": upsampling}
    )
    logits = model(torch.randn(batch, 2, *size))
    assert logits.shape == (batch, 5, *size)
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize("upsampling", UPSAMPLINGS)
@pytest.mark.parametrize("channels", [1, 4])
@pytest.mark.parametrize("patch", [4, 8, 12, 14, 16, 32])
def test_other_patches_and_channels(unetr_on, upsampling, channels, patch):
    model = unetr_on(Random(patch), channels=channels, hidden_size=16, upsampling=upsampling)
    size = (2 * patch, 3 * patch)
    assert model(torch.randn(2, channels, *size)).shape == (2, 2, *size)


@pytest.mark.parametrize(
    ("patch", "strides"),
    [(4, [1, 2]), (8, [1, 2, 4]), (14, [1, 1.75, 3.5, 7]), (16, [1, 2, 4, 8]), (32, [1, 4, 8, 16])],
)
def test_the_levels_of_deep_supervision(unetr_on, patch, strides):
    levels = unetr_on(Random(patch), deep=True, hidden_size=16)(
        torch.randn(1, 3, 2 * patch, 3 * patch)
    )
    sizes = [(1, 2, round(2 * patch / stride), round(3 * patch / stride)) for stride in strides]
    assert [tuple(level.shape) for level in levels] == sizes


@pytest.mark.parametrize("hidden", [8, 12, 17, 64])
def test_any_allowed_width(unetr, hidden):
    model = unetr(decoder_hidden_size=hidden)
    assert model(torch.zeros(1, 3, 32, 32)).shape == (1, 3, 32, 32)
    widths = [classify.in_channels for classify in model.classifiers]
    assert widths == [max(hidden // 8, 8)]


@pytest.mark.parametrize(
    ("depth", "layers"),
    [
        (12, [11, 8, 5, 2]),
        (24, [23, 17, 11, 5]),
        (6, [5, 3, 2, 0]),
        (3, [2, 1, 0, 0]),
        (1, [0, 0, 0, 0]),
    ],
)
def test_four_depths_that_begin_with_the_last(unetr_on, depth, layers):
    model = unetr_on(Random(16, depth), hidden_size=8)
    assert model(torch.randn(1, 3, 32, 16)).shape == (1, 2, 32, 16)
    assert model.backbone.layers == layers


@pytest.mark.parametrize("upsampling", UPSAMPLINGS)
@pytest.mark.parametrize("size", [(32, 48), (16, 16)])
def test_every_parameter_learns(unetr, upsampling, size):
    """Also with one image per batch and one patch per image: no normalization is over the batch."""
    model = unetr(image_size=size, deep_supervision=True, options={"upsampling": upsampling})
    levels = model.train()(torch.randn(1, 3, *size))
    sum(level.square().mean() for level in levels).backward()
    idle = [n for n, value in model.named_parameters() if value.grad is None]
    zero = [n for n, value in model.named_parameters() if value.grad.count_nonzero() == 0]
    assert (idle, zero) == ([], [])


def test_without_deep_supervision_no_classifier_is_idle(unetr):
    model = unetr(image_size=(32, 48)).train()
    model(torch.randn(1, 3, 32, 48)).square().mean().backward()
    assert [n for n, value in model.named_parameters() if value.grad is None] == []


def test_a_few_steps_lower_the_loss(unetr):
    model = unetr(image_size=(32, 48)).train()
    images, truth = torch.randn(2, 3, 32, 48), torch.randint(0, 3, (2, 32, 48))
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    losses = []
    for _ in range(4):
        loss = nn.functional.cross_entropy(model(images), truth)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]


def test_an_image_does_not_change_its_neighbour_in_the_batch(unetr):
    model = unetr().eval()
    images = torch.randn(2, 3, 32, 48)
    with torch.no_grad():
        assert torch.allclose(model(images)[:1], model(images[:1]), atol=1e-5)


def test_a_saved_state_gives_the_same_logits(unetr):
    model, images = unetr().eval(), torch.randn(1, 3, 32, 48)
    other = unetr().eval()
    nn.init.normal_(other.classifiers[0].weight)
    with torch.no_grad():
        assert not torch.equal(other(images), model(images))
        other.load_state_dict(model.state_dict())
        assert torch.equal(other(images), model(images))


@pytest.mark.parametrize("upsampling", UPSAMPLINGS)
def test_half_precision_is_finite(unetr_on, upsampling):
    model = unetr_on(Random(16), hidden_size=32, upsampling=upsampling).eval()
    with torch.no_grad(), torch.autocast("cpu", torch.float16):
        logits = model(100 * torch.randn(1, 3, 32, 48))
    assert logits.dtype == torch.float16 and torch.isfinite(logits).all()


def test_the_skips_reach_the_logits(unetr_on):
    """Each of the four maps and the image changes them."""

    class Given(Random):
        def feature_maps(self, images, layers):
            return self.maps

    torch.manual_seed(0)
    model = unetr_on(Given(16), hidden_size=16).eval()
    model.backbone.maps = [torch.randn(1, 6, 2, 3) for _ in range(4)]
    images = torch.randn(1, 3, 32, 48)
    with torch.no_grad():
        before = model(images)
        changes = [(model(-images) - before).abs().max()]
        for level in range(4):
            kept = model.backbone.maps[level]
            model.backbone.maps[level] = -kept
            changes.append((model(images) - before).abs().max())
            model.backbone.maps[level] = kept
    assert min(changes) > 1e-3


@pytest.mark.parametrize(
    ("upsampling", "patch", "learned"),
    [("deconvolution", 16, 10), ("deconvolution", 14, 9), ("bilinear", 16, 0)],
)
def test_only_doublings_are_learned(unetr_on, upsampling, patch, learned):
    """Four of the decoder and one, two and three of the levels; 8 times 2 is more than 14."""
    model = unetr_on(Random(patch), hidden_size=16, upsampling=upsampling)
    assert sum(isinstance(part, nn.ConvTranspose2d) for part in model.modules()) == learned


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("hidden_size: 7", "hidden_size: given 7; allowed: a whole number from 8 to 2048"),
        ("hidden_size: 2049", "hidden_size: given 2049; allowed: a whole number from 8 to 2048"),
        ("upsampling: fast", "upsampling: given 'fast'; allowed: 'deconvolution' or 'bilinear'"),
        (
            "hiden_size: 64",
            "hiden_size: unknown key, given 'hiden_size'. Did you mean 'hidden_size'? "
            "Allowed: hidden_size, upsampling",
        ),
    ],
)
def test_options_out_of_bounds(tmp_path, monkeypatch, line, text):
    from nnunet_vit.config.load import load_run
    from nnunet_vit.errors import ConfigError

    monkeypatch.chdir(tmp_path)
    Path("run.yaml").write_text(f"model:\n  head: unetr\n  decoder:\n    {line}\n")
    with pytest.raises(ConfigError) as caught:
        load_run(Path("run.yaml"))
    assert str(caught.value) == f"run.yaml, line 4, model.decoder.{text}"


def test_the_options_are_described():
    from nnunet_vit_unetr import UnetrOptions

    assert all(field.description for field in UnetrOptions.model_fields.values())
    assert UnetrOptions().model_dump() == {"hidden_size": 128, "upsampling": "deconvolution"}
