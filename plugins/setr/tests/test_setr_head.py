"""The setr head: shapes, levels, gradients, options, its two variants."""

from pathlib import Path

import pytest
import torch
from torch import nn

pytestmark = pytest.mark.unit

VARIANTS = ["pup", "mla"]


class Random(nn.Module):
    """A backbone of any patch and depth whose maps are noise, and that notes what is asked for."""

    embed_dim = 6

    def __init__(self, patch_size, depth=12):
        super().__init__()
        self.patch_size, self.depth = patch_size, depth

    def feature_maps(self, images, layers):
        assert all(-self.depth <= layer < self.depth for layer in layers)
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
@pytest.mark.parametrize("variant", VARIANTS)
def test_shapes(setr, backbone, size, batch, variant):
    model = setr(backbone, classes=5, in_channels=2, image_size=size, options={"variant": variant})
    logits = model(torch.randn(batch, 2, *size))
    assert logits.shape == (batch, 5, *size)
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("channels", [1, 4])
@pytest.mark.parametrize("patch", [4, 8, 12, 14, 16, 32])
def test_other_patches_and_channels(setr_on, variant, channels, patch):
    model = setr_on(Random(patch), channels=channels, hidden_size=16, variant=variant)
    size = (2 * patch, 3 * patch)
    assert model(torch.randn(2, channels, *size)).shape == (2, 2, *size)


@pytest.mark.parametrize(
    ("variant", "patch", "scales"),
    [
        ("pup", 2, [2]),
        ("pup", 8, [8, 4, 2]),
        ("pup", 14, [14, 8, 4, 2]),
        ("pup", 16, [16, 8, 4, 2]),
        ("mla", 2, [2, 2, 2, 2, 2]),
        ("mla", 14, [14, 4, 4, 4, 4]),
        ("mla", 16, [16, 4, 4, 4, 4]),
    ],
)
def test_the_levels_of_deep_supervision(setr_on, variant, patch, scales):
    model = setr_on(Random(patch), deep=True, hidden_size=16, variant=variant)
    levels = model(torch.randn(1, 3, 2 * patch, 3 * patch))
    assert [tuple(level.shape) for level in levels] == [(1, 2, 2 * s, 3 * s) for s in scales]


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("hidden", [8, 12, 17, 64])
def test_any_allowed_width(setr, variant, hidden):
    model = setr(decoder_hidden_size=hidden, options={"variant": variant})
    assert model(torch.zeros(1, 3, 32, 32)).shape == (1, 3, 32, 32)


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
def test_four_depths_that_begin_with_the_last(setr_on, depth, layers):
    model = setr_on(Random(16, depth), hidden_size=8, variant="mla")
    assert model(torch.randn(1, 3, 32, 16)).shape == (1, 2, 32, 16)
    assert model.backbone.layers == layers


def test_progressive_upsampling_takes_the_last_map(setr_on):
    model = setr_on(Random(16), hidden_size=8)
    model(torch.randn(1, 3, 32, 16))
    assert model.backbone.layers == [-1]


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("size", [(32, 48), (16, 16)])
def test_every_parameter_learns(setr, variant, size):
    """Also with one image per batch and one patch per image: no normalization is over the batch."""
    model = setr(image_size=size, deep_supervision=True, options={"variant": variant})
    levels = model.train()(torch.randn(1, 3, *size))
    sum(level.square().mean() for level in levels).backward()
    idle = [n for n, value in model.named_parameters() if value.grad is None]
    zero = [n for n, value in model.named_parameters() if value.grad.count_nonzero() == 0]
    assert (idle, zero) == ([], [])


@pytest.mark.parametrize("variant", VARIANTS)
def test_without_deep_supervision_no_classifier_is_idle(setr, variant):
    model = setr(image_size=(32, 48), options={"variant": variant}).train()
    model(torch.randn(1, 3, 32, 48)).square().mean().backward()
    assert [n for n, value in model.named_parameters() if value.grad is None] == []


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_few_steps_lower_the_loss(setr, variant):
    model = setr(image_size=(32, 48), options={"variant": variant}).train()
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


@pytest.mark.parametrize("variant", VARIANTS)
def test_an_image_does_not_change_its_neighbour_in_the_batch(setr, variant):
    model = setr(options={"variant": variant}).eval()
    images = torch.randn(2, 3, 32, 48)
    with torch.no_grad():
        assert torch.allclose(model(images)[:1], model(images[:1]), atol=1e-5)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_saved_state_gives_the_same_logits(setr, variant):
    model, other = (setr(options={"variant": variant}).eval() for _ in range(2))
    images = torch.randn(1, 3, 32, 48)
    for value in other.parameters():
        nn.init.normal_(value, std=0.1)
    with torch.no_grad():
        assert not torch.equal(other(images), model(images))
        other.load_state_dict(model.state_dict())
        assert torch.equal(other(images), model(images))


@pytest.mark.parametrize("variant", VARIANTS)
def test_half_precision_is_finite(setr_on, variant):
    model = setr_on(Random(16), hidden_size=32, variant=variant).eval()
    with torch.no_grad(), torch.autocast("cpu", torch.float16):
        logits = model(100 * torch.randn(1, 3, 32, 48))
    assert logits.dtype == torch.float16 and torch.isfinite(logits).all()


class Given(Random):
    """The maps that the test gives."""

    def feature_maps(self, images, layers):
        return self.maps


def test_deeper_maps_flow_into_shallower_streams(setr_on):
    """And not the other way: a stream is changed by its own map and by those that are deeper."""
    torch.manual_seed(0)
    model = setr_on(Given(16), hidden_size=16, variant="mla").eval()
    maps = [torch.randn(1, 6, 2, 3) for _ in range(4)]
    with torch.no_grad():
        before = model.aggregate(maps)
        for level in range(4):
            changed = [-kept if place == level else kept for place, kept in enumerate(maps)]
            after = model.aggregate(changed)
            same = [torch.equal(new, old) for new, old in zip(after, before, strict=True)]
            assert same == [place < level for place in range(4)]


@pytest.mark.parametrize("patch", [14, 16])
def test_aggregation_gives_the_papers_logits(setr_on, patch):
    """The paper upsamples by 4, joins the streams, classifies and upsamples by 4 again."""
    torch.manual_seed(0)
    model = setr_on(Given(patch), hidden_size=16, variant="mla").eval()
    maps = model.backbone.maps = [torch.randn(1, 6, 3, 4) for _ in range(4)]
    images = torch.zeros(1, 3, 3 * patch, 4 * patch)
    with torch.no_grad():
        streams = [
            nn.functional.interpolate(stream, scale_factor=4, mode="bilinear")
            for stream in model.aggregate(maps)
        ]
        classes = model.classifier(torch.cat(streams, dim=1))
        expected = nn.functional.interpolate(classes, size=images.shape[-2:], mode="bilinear")
        assert torch.allclose(model(images), expected, atol=1e-5)


def test_progressive_upsampling_gives_the_papers_logits(setr_on):
    """The paper doubles after each of four convolutions and classifies at the images' size."""
    torch.manual_seed(0)
    model = setr_on(Given(16), hidden_size=16).eval()
    features = torch.randn(1, 6, 3, 4)
    model.backbone.maps = [features]
    with torch.no_grad():
        logits = model(torch.zeros(1, 3, 48, 64))
        features = model.normalization(features)
        for convolve in model.convolutions:
            features = nn.functional.interpolate(
                convolve(features), scale_factor=2, mode="bilinear"
            )
        assert torch.allclose(logits, model.classifiers[0](features), atol=1e-5)
        assert len(model.convolutions) == 4


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("hidden_size: 7", "hidden_size: given 7; allowed: a whole number from 8 to 2048"),
        ("hidden_size: 2049", "hidden_size: given 2049; allowed: a whole number from 8 to 2048"),
        ("variant: naive", "variant: given 'naive'; allowed: 'pup' or 'mla'"),
        (
            "hiden_size: 64",
            "hiden_size: unknown key, given 'hiden_size'. Did you mean 'hidden_size'? "
            "Allowed: hidden_size, variant",
        ),
    ],
)
def test_options_out_of_bounds(tmp_path, monkeypatch, line, text):
    from nnunet_vit.config.load import load_run
    from nnunet_vit.errors import ConfigError

    monkeypatch.chdir(tmp_path)
    Path("run.yaml").write_text(f"model:\n  head: setr\n  decoder:\n    {line}\n")
    with pytest.raises(ConfigError) as caught:
        load_run(Path("run.yaml"))
    assert str(caught.value) == f"run.yaml, line 4, model.decoder.{text}"


def test_the_options_are_described():
    from nnunet_vit_setr import SetrOptions

    assert all(field.description for field in SetrOptions.model_fields.values())
    assert SetrOptions().model_dump() == {"hidden_size": 256, "variant": "pup"}
