"""The segmenter head: shapes, gradients, options."""

from pathlib import Path

import pytest
import torch
from torch import nn

from nnunet_vit.testing.building import SetMaps

pytestmark = pytest.mark.unit

PAPERS = {"upscale": 1, "mask_norm": "classes"}


@pytest.mark.parametrize(
    ("backbone", "size", "batch", "channels"),
    [
        ("timm:test_vit", (32, 48), 1, 1),
        ("timm:test_vit", (80, 16), 3, 4),
        ("timm:eva02_tiny_patch14_224", (28, 56), 1, 3),
    ],
)
def test_shapes(segmenter, backbone, size, batch, channels):
    model = segmenter(backbone, classes=5, in_channels=channels, image_size=size)
    logits = model(torch.randn(batch, channels, *size))
    assert logits.shape == (batch, 5, *size)
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize("classes", [1, 2, 3, 20])
@pytest.mark.parametrize("options", [{}, {"upscale": 2}, PAPERS])
@pytest.mark.parametrize("patch", [2, 8, 14, 16, 32])
def test_other_patches_and_class_counts(segmenter_on, classes, options, patch):
    backbone = SetMaps(patch, 2, 3)
    model = segmenter_on(backbone, classes, hidden_size=16, **options)
    assert model(torch.zeros(1, 3, 2 * patch, 3 * patch)).shape == (
        1,
        classes,
        2 * patch,
        3 * patch,
    )
    masks = model.decoder(backbone.maps)
    upscale = options.get("upscale", 4)
    assert masks.shape == (1, classes, 2 * upscale, 3 * upscale)


@pytest.mark.parametrize(
    ("width", "heads"), [(8, 1), (64, 1), (127, 1), (128, 2), (192, 3), (250, 2), (768, 12)]
)
def test_attention_heads_have_at_least_64_channels(width, heads):
    from nnunet_vit_segmenter.transformer import Attention

    attention = Attention(width, 0.0)
    assert attention.heads == heads
    assert attention(torch.randn(1, 3, width)).shape == (1, 3, width)


@pytest.mark.parametrize("options", [{}, PAPERS])
@pytest.mark.parametrize("size", [(32, 48), (16, 16)])
@pytest.mark.parametrize("classes", [1, 2, 3])
def test_every_parameter_learns(segmenter, options, size, classes):
    """Also with one class, one image, one patch."""
    model = segmenter(classes=classes, image_size=size, options=options).train()
    weights = torch.randn(1, classes, *size)
    (model(torch.randn(1, 3, *size)) * weights).sum().backward()
    idle = [n for n, value in model.named_parameters() if value.grad is None]
    zero = [n for n, value in model.named_parameters() if value.grad.count_nonzero() == 0]
    assert (idle, zero) == ([], [])


def squares():
    """Return images with a bright square that does not follow the grid of 16, and its mask."""
    images, mask = torch.zeros(2, 3, 64, 64), torch.zeros(2, 1, 64, 64)
    images[0, :, 8:28, 20:44] = images[1, :, 36:60, 4:40] = 2
    mask[0, :, 8:28, 20:44] = mask[1, :, 36:60, 4:40] = 1
    return images + 0.1 * torch.randn_like(images), mask


def losses_of(model, loss, steps=30):
    images, mask = squares()
    optimizer, losses = torch.optim.AdamW(model.parameters(), 2e-3), []
    for _ in range(steps):
        value = loss(model(images), mask)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        losses.append(value.item())
    return losses


FEW = {"dropout": 0, "mask_norm": "classes"}  # asked for, and not kept with one class or two


def test_a_single_region_learns(segmenter):
    """One channel, which a norm over channels would make constant."""
    model = segmenter(classes=1, image_size=(64, 64), options=FEW).train()
    losses = losses_of(model, nn.functional.binary_cross_entropy_with_logits)
    assert losses[-1] < 0.3 * losses[0]


@pytest.mark.parametrize(("classes", "kind"), [(2, "ClassScale"), (3, "LayerNorm2d")])
def test_the_norm_over_classes_needs_three(segmenter_on, classes, kind):
    model = segmenter_on(SetMaps(16, 2, 2), classes, hidden_size=16, mask_norm="classes")
    assert type(model.decoder.mask_norm).__name__ == kind


def test_two_classes_learn(segmenter):
    """Of which a norm over channels would leave a sign."""
    model = segmenter(classes=2, image_size=(64, 64), options=FEW).train()
    losses = losses_of(
        model, lambda logits, mask: nn.functional.cross_entropy(logits, mask[:, 0].long())
    )
    assert losses[-1] < 0.3 * losses[0]


def test_regions_inside_each_other_learn(segmenter):
    """Neither, the outer alone, both: no norm couples one region to the other."""
    model = segmenter(classes=2, image_size=(64, 64), options={"dropout": 0}).train()

    def loss(logits, mask):
        outer = mask.clone()
        outer[..., 4:] = mask[..., :-4].maximum(mask[..., 4:])
        outer[..., :-16] = outer[..., :-16].maximum(mask[..., 16:])
        target = torch.cat([outer, mask], dim=1)
        return nn.functional.binary_cross_entropy_with_logits(logits, target)

    losses = losses_of(model, loss)
    assert losses[-1] < 0.4 * losses[0]


def test_the_classes_know_the_image(segmenter_on):
    """A patch changes the logits of another: through the classes' tokens and the attention."""
    torch.manual_seed(0)
    model = segmenter_on(SetMaps(16, 3, 4), hidden_size=16).eval()
    images = torch.zeros(1, 3, 48, 64)
    with torch.no_grad():
        before = model(images)
        model.backbone.maps[..., 0, 0] = 5 * torch.randn(1, 4)
        after = model(images)
    assert (after - before)[..., 32:, 48:].abs().max() > 1e-5


def test_an_image_does_not_change_its_neighbour_in_the_batch(segmenter):
    model = segmenter(options={"dropout": 0}).train()
    images = torch.randn(2, 3, 32, 48)
    with torch.no_grad():
        assert torch.allclose(model(images)[:1], model(images[:1]), atol=1e-4)


def test_dropout_is_for_training(segmenter):
    model = segmenter(options={"dropout": 0.5})
    images = torch.randn(1, 3, 32, 48)
    assert not torch.equal(model.train()(images), model(images))
    assert torch.equal(model.eval()(images), model(images))


@pytest.mark.parametrize("precision", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("classes", [1, 4])
def test_low_precision_is_close_and_finite(segmenter_on, precision, classes):
    """However large the ViT's features are."""
    torch.manual_seed(0)
    model = segmenter_on(SetMaps(16, 3, 4), classes, hidden_size=64).eval()
    model.backbone.maps = 1000 * torch.randn(1, 4, 3, 4)
    images = torch.zeros(1, 3, 48, 64)
    with torch.no_grad():
        exact = model(images)
        with torch.autocast("cpu", precision):
            logits = model(images)
    assert logits.dtype == torch.float32
    assert (logits - exact).abs().max() < 0.3  # cosines times 10


def test_a_saved_state_gives_the_same_logits(segmenter):
    model, other = (segmenter().eval() for _ in range(2))
    images = torch.randn(1, 3, 32, 48)
    with torch.no_grad():
        for value in other.parameters():
            value.normal_()
        assert not torch.equal(other(images), model(images))
        other.load_state_dict(model.state_dict())
        assert torch.equal(other(images), model(images))


def test_the_backbone_keeps_its_weights(segmenter_on):
    """What the decoder begins with is none of the ViT's business."""
    backbone = SetMaps(16, 2, 2)
    backbone.linear = nn.Linear(4, 4)
    before = backbone.linear.weight.clone()
    assert torch.equal(segmenter_on(backbone).backbone.linear.weight, before)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("hidden_size: 7", "hidden_size: given 7; allowed: a whole number from 8 to 2048"),
        ("hidden_size: 2049", "hidden_size: given 2049; allowed: a whole number from 8 to 2048"),
        ("layers: 0", "layers: given 0; allowed: a whole number from 1 to 12"),
        ("layers: 13", "layers: given 13; allowed: a whole number from 1 to 12"),
        ("upscale: 3", "upscale: given 3; allowed: 1, 2, or 4"),
        ("mask_norm: batch", "mask_norm: given 'batch'; allowed: 'scale' or 'classes'"),
        ("dropout: 1", "dropout: given 1; allowed: a number of at least 0 and less than 1"),
        (
            "layer: 2",
            "layer: unknown key, given 'layer'. Did you mean 'layers'? "
            "Allowed: hidden_size, layers, upscale, mask_norm, dropout",
        ),
    ],
)
def test_options_out_of_bounds(tmp_path, monkeypatch, line, text):
    from nnunet_vit.config.load import load_run
    from nnunet_vit.errors import ConfigError

    monkeypatch.chdir(tmp_path)
    Path("run.yaml").write_text(f"model:\n  head: segmenter\n  decoder:\n    {line}\n")
    with pytest.raises(ConfigError) as caught:
        load_run(Path("run.yaml"))
    assert str(caught.value) == f"run.yaml, line 4, model.decoder.{text}"


def test_the_options_are_described():
    from nnunet_vit_segmenter import SegmenterOptions

    assert all(field.description for field in SegmenterOptions.model_fields.values())
    assert SegmenterOptions().model_dump() == {
        "hidden_size": 256,
        "layers": 2,
        "upscale": 4,
        "mask_norm": "scale",
        "dropout": 0.1,
    }
