"""The primus head: shapes, levels, gradients, options, its two variants."""

from pathlib import Path

import pytest
import torch
from torch import nn

pytestmark = pytest.mark.unit

VARIANTS = ["single", "multi"]


class Random(nn.Module):
    """A backbone of any patch and depth whose maps are noise, and that notes what is asked for."""

    embed_dim = 12

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
@pytest.mark.parametrize("channels", [1, 4])
def test_shapes(primus, backbone, size, batch, variant, channels):
    model = primus(backbone, 5, in_channels=channels, image_size=size, options={"variant": variant})
    logits = model(torch.randn(batch, channels, *size))
    assert logits.shape == (batch, 5, *size)
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("classes", [1, 2, 20])
@pytest.mark.parametrize("patch", [1, 2, 4, 8, 12, 14, 16, 32])
def test_other_patches_and_class_counts(primus_on, variant, classes, patch):
    model = primus_on(Random(patch), classes, variant=variant)
    logits = model(torch.randn(2, 3, 2 * patch, 3 * patch))
    assert logits.shape == (2, classes, 2 * patch, 3 * patch)


@pytest.mark.parametrize(
    ("patch", "scales"), [(4, [4, 2]), (8, [8, 4, 2]), (14, [14, 8, 4, 2]), (16, [16, 8, 4, 2])]
)
def test_the_levels_of_deep_supervision(primus_on, patch, scales):
    images = torch.randn(1, 3, 2 * patch, 3 * patch)
    levels = primus_on(Random(patch), deep=True, variant="multi")(images)
    assert [tuple(level.shape) for level in levels] == [(1, 2, 2 * s, 3 * s) for s in scales]
    assert primus_on(Random(patch), deep=True)(images).shape == (1, 2, 2 * patch, 3 * patch)


@pytest.mark.parametrize(
    ("depth", "patch", "layers"),
    [
        (12, 16, [11, 8, 5, 2]),
        (12, 8, [11, 8, 5]),
        (12, 32, [11, 8, 5, 2]),
        (24, 14, [23, 17, 11, 5]),
        (3, 16, [2, 1, 0, 0]),
        (1, 16, [0, 0, 0, 0]),
    ],
)
def test_the_layers_begin_with_the_last(primus_on, depth, patch, layers):
    model = primus_on(Random(patch, depth), variant="multi")
    assert model(torch.randn(1, 3, 2 * patch, patch)).shape == (1, 2, 2 * patch, patch)
    assert model.backbone.layers == layers
    single = primus_on(Random(patch, depth))
    single(torch.randn(1, 3, patch, patch))
    assert single.backbone.layers == [-1]


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("size", [(32, 48), (16, 16)])
def test_every_parameter_learns(primus, variant, deep, size):
    model = primus(image_size=size, deep_supervision=deep, options={"variant": variant}).train()
    output = model(torch.randn(1, 3, *size))
    levels = output if isinstance(output, list) else [output]
    sum(level.square().mean() for level in levels).backward()
    idle = [n for n, value in model.named_parameters() if value.grad is None]
    zero = [n for n, value in model.named_parameters() if value.grad.count_nonzero() == 0]
    assert (idle, zero) == ([], [])


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_few_steps_lower_the_loss(primus, variant):
    model = primus(image_size=(32, 48), options={"variant": variant}).train()
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
def test_an_image_does_not_change_its_neighbour_in_the_batch(primus, variant):
    model = primus(options={"variant": variant}).eval()
    images = torch.randn(2, 3, 32, 48)
    with torch.no_grad():
        assert torch.allclose(model(images)[:1], model(images[:1]), atol=1e-5)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_saved_state_gives_the_same_logits(primus, variant):
    model, other = (primus(options={"variant": variant}).eval() for _ in range(2))
    images = torch.randn(1, 3, 32, 48)
    nn.init.normal_(other.classifier.weight)
    with torch.no_grad():
        assert not torch.equal(other(images), model(images))
        other.load_state_dict(model.state_dict())
        assert torch.equal(other(images), model(images))


@pytest.mark.parametrize("variant", VARIANTS)
def test_half_precision_is_finite(primus_on, variant):
    """The first normalization keeps what the ViT says, however large, in range."""

    class Large(Random):
        def feature_maps(self, images, layers):
            return [1000 * level for level in super().feature_maps(images, layers)]

    model = primus_on(Large(16), variant=variant).eval()
    with torch.no_grad(), torch.autocast("cpu", torch.float16):
        logits = model(torch.randn(1, 3, 32, 48))
    assert logits.dtype == torch.float16
    assert logits.abs().max() < 100


def test_each_of_the_four_maps_reaches_the_logits(primus_on):
    class Given(Random):
        def feature_maps(self, images, layers):
            return self.maps

    torch.manual_seed(0)
    model = primus_on(Given(16), variant="multi").eval()
    model.backbone.maps = [torch.randn(1, 12, 2, 3) for _ in range(4)]
    images, changes = torch.zeros(1, 3, 32, 48), []
    with torch.no_grad():
        before = model(images)
        for level in range(4):
            kept = model.backbone.maps[level]
            model.backbone.maps[level] = -kept
            changes.append((model(images) - before).abs().max())
            model.backbone.maps[level] = kept
    assert min(changes) > 1e-3


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("variant: double", "variant: given 'double'; allowed: 'single' or 'multi'"),
        ("hidden_size: 64", "hidden_size: unknown key, given 'hidden_size'. Allowed: variant"),
    ],
)
def test_options_out_of_bounds(tmp_path, monkeypatch, line, text):
    from nnunet_vit.config.load import load_run
    from nnunet_vit.errors import ConfigError

    monkeypatch.chdir(tmp_path)
    Path("run.yaml").write_text(f"model:\n  head: primus\n  decoder:\n    {line}\n")
    with pytest.raises(ConfigError) as caught:
        load_run(Path("run.yaml"))
    assert str(caught.value) == f"run.yaml, line 4, model.decoder.{text}"


def test_the_options_are_described():
    from nnunet_vit_primus import PrimusOptions

    assert all(field.description for field in PrimusOptions.model_fields.values())
    assert PrimusOptions().model_dump() == {"variant": "single"}
