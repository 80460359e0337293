"""The segformer head: shapes, gradients, options, its two variants."""

from pathlib import Path

import pytest
import torch
from torch import nn

pytestmark = pytest.mark.unit

VARIANTS = ["progressive", "plain"]


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
def test_shapes(segformer, backbone, size, batch, variant):
    model = segformer(
        backbone, classes=5, in_channels=2, image_size=size, options={"variant": variant}
    )
    logits = model(torch.randn(batch, 2, *size))
    assert logits.shape == (batch, 5, *size)
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize("hidden", [8, 12, 17, 64])
def test_any_allowed_width(segformer, hidden):
    model = segformer(decoder_hidden_size=hidden)
    assert model(torch.zeros(1, 3, 32, 32)).shape == (1, 3, 32, 32)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("batch", [1, 2])
def test_every_parameter_learns(segformer, variant, batch):
    """Also with one image per batch: no normalization is over the batch."""
    model = segformer(image_size=(32, 48), options={"variant": variant, "dropout": 0}).train()
    model(torch.randn(batch, 3, 32, 48)).square().mean().backward()
    idle = [n for n, value in model.named_parameters() if value.grad is None]
    zero = [n for n, value in model.named_parameters() if value.grad.count_nonzero() == 0]
    assert (idle, zero) == ([], [])


def test_a_few_steps_lower_the_loss(segformer):
    model = segformer(image_size=(32, 48), options={"dropout": 0}).train()
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


def test_an_image_does_not_change_its_neighbour_in_the_batch(segformer):
    model = segformer().eval()
    images = torch.randn(2, 3, 32, 48)
    with torch.no_grad():
        assert torch.allclose(model(images)[:1], model(images[:1]), atol=1e-5)


def test_dropout_is_for_training(segformer):
    model = segformer(options={"dropout": 0.5})
    images = torch.randn(1, 3, 32, 48)
    assert not torch.equal(model.train()(images), model(images))
    assert torch.equal(model.eval()(images), model(images))
    assert segformer().dropout.p == 0.1


def test_the_plain_variant_has_no_convolution_over_neighbours(segformer):
    sizes = {
        variant: {
            module.kernel_size[0]
            for name, module in segformer(options={"variant": variant}).named_modules()
            if isinstance(module, nn.Conv2d) and not name.startswith("backbone.")
        }
        for variant in VARIANTS
    }
    assert sizes == {"progressive": {1, 3}, "plain": {1}}


def test_the_plain_variant_upsamples_its_logits_at_once(segformer):
    model = segformer(image_size=(32, 48), options={"variant": "plain"}).eval()
    with torch.no_grad():
        logits = model(torch.randn(1, 3, 32, 48))
    # bilinear between the middles of patches: steps along a row are equal there
    steps = logits[..., 8:40].diff(dim=-1)[..., [1, 5, 9]]
    assert torch.allclose(steps[..., :1], steps, atol=1e-5)
    assert steps.abs().max() > 1e-4


@pytest.mark.parametrize("option", [{}, {"detail_channels": 0}, {"detail_channels": 3}])
@pytest.mark.parametrize("patch", [8, 14, 16, 32])
def test_other_patches_and_details(segformer_on, option, patch):
    class Random(nn.Module):
        embed_dim, depth, patch_size = 6, 2, patch

        def feature_maps(self, images, layers):
            rows, columns = (edge // patch for edge in images.shape[-2:])
            return [torch.randn(len(images), 6, rows, columns) for _ in layers]

    model = segformer_on(Random(), channels=4, hidden_size=16, **option)
    assert model(torch.randn(2, 4, 2 * patch, 3 * patch)).shape == (2, 2, 2 * patch, 3 * patch)


@pytest.mark.parametrize(
    ("depth", "layers"),
    [
        (12, [2, 5, 8, 11]),
        (24, [5, 11, 17, 23]),
        (6, [0, 2, 3, 5]),
        (4, [0, 1, 2, 3]),
        (3, [0, 1, 2]),
        (1, [0]),
    ],
)
def test_the_levels_end_with_the_last_block(depth, layers):
    from nnunet_vit_segformer.decoder import distinct_levels

    assert distinct_levels(depth) == layers


DROPOUT = "allowed: a number of at least 0 and less than 1"
HIDDEN = "allowed: a whole number from 8 to 4096"


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("hidden_size: 7", f"hidden_size: given 7; {HIDDEN}"),
        ("hidden_size: 4097", f"hidden_size: given 4097; {HIDDEN}"),
        ("hidden_size: 64.0", f"hidden_size: given 64.0; {HIDDEN}"),
        ("hidden_size: null", f"hidden_size: given null; {HIDDEN}"),
        ("dropout: 1", f"dropout: given 1; {DROPOUT}"),
        (
            "detail_channels: -1",
            "detail_channels: given -1; allowed: a whole number from 0 to 512",
        ),
        ("dropout: true", f"dropout: given true; {DROPOUT}"),
        ("variant: fast", "variant: given 'fast'; allowed: 'progressive' or 'plain'"),
        (
            "hiden_size: 64",
            "hiden_size: unknown key, given 'hiden_size'. Did you mean 'hidden_size'? "
            "Allowed: hidden_size, variant, detail_channels, dropout",
        ),
    ],
)
def test_options_out_of_bounds(tmp_path, monkeypatch, line, text):
    from nnunet_vit.config.load import load_run
    from nnunet_vit.errors import ConfigError

    monkeypatch.chdir(tmp_path)
    Path("run.yaml").write_text(f"model:\n  head: segformer\n  decoder:\n    {line}\n")
    with pytest.raises(ConfigError) as caught:
        load_run(Path("run.yaml"))
    assert str(caught.value) == f"run.yaml, line 4, model.decoder.{text}"


def test_the_options_are_described():
    from nnunet_vit_segformer import SegformerOptions

    assert all(field.description for field in SegformerOptions.model_fields.values())
    options = SegformerOptions()
    assert (options.hidden_size, options.variant, options.dropout) == (256, "progressive", 0.1)
