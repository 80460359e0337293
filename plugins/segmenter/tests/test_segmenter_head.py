"""The segmenter head: gradients, options."""

import decoder_behaviour as decoders
import pytest
import torch
from torch import nn

from nnunet_vit.testing.maps import SetMaps
from nnunet_vit_segmenter import SegmenterOptions

pytestmark = pytest.mark.unit

HEAD = "segmenter"
OPTIONS = {"hidden_size": 32}

PAPERS = {"upscale": 1, "mask_norm": "classes"}


@pytest.mark.parametrize("classes", [1, 2, 3, 20])
@pytest.mark.parametrize("options", [{}, {"upscale": 2}, PAPERS])
@pytest.mark.parametrize("patch", [2, 8, 14, 16, 32])
def test_other_patches_and_class_counts(head_on, classes, options, patch):
    backbone = SetMaps(patch, 2, 3)
    model = head_on(backbone, classes, hidden_size=16, **options)
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


def test_a_single_region_learns(build_head):
    """One channel, which a norm over channels would make constant."""
    model = build_head(num_classes=1, image_size=(64, 64), options=FEW).train()
    losses = losses_of(model, nn.functional.binary_cross_entropy_with_logits)
    assert losses[-1] < 0.3 * losses[0]


@pytest.mark.parametrize(("classes", "kind"), [(2, "ClassScale"), (3, "LayerNorm2d")])
def test_the_norm_over_classes_needs_three(head_on, classes, kind):
    model = head_on(SetMaps(16, 2, 2), classes, hidden_size=16, mask_norm="classes")
    assert type(model.decoder.mask_norm).__name__ == kind


def test_two_classes_learn(build_head):
    """Of which a norm over channels would leave a sign."""
    model = build_head(num_classes=2, image_size=(64, 64), options=FEW).train()
    losses = losses_of(
        model, lambda logits, mask: nn.functional.cross_entropy(logits, mask[:, 0].long())
    )
    assert losses[-1] < 0.3 * losses[0]


def test_regions_inside_each_other_learn(build_head):
    """Neither, the outer alone, both: no norm couples one region to the other."""
    model = build_head(num_classes=2, image_size=(64, 64), options={"dropout": 0}).train()

    def loss(logits, mask):
        outer = mask.clone()
        outer[..., 4:] = mask[..., :-4].maximum(mask[..., 4:])
        outer[..., :-16] = outer[..., :-16].maximum(mask[..., 16:])
        target = torch.cat([outer, mask], dim=1)
        return nn.functional.binary_cross_entropy_with_logits(logits, target)

    losses = losses_of(model, loss)
    assert losses[-1] < 0.4 * losses[0]


def test_the_classes_know_the_image(head_on):
    """A patch changes the logits of another: through the classes' tokens and the attention."""
    torch.manual_seed(0)
    model = head_on(SetMaps(16, 3, 4), hidden_size=16).eval()
    images = torch.zeros(1, 3, 48, 64)
    with torch.no_grad():
        before = model(images)
        model.backbone.maps[..., 0, 0] = 5 * torch.randn(1, 4)
        after = model(images)
    assert (after - before)[..., 32:, 48:].abs().max() > 1e-5


@pytest.mark.parametrize("precision", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("classes", [1, 4])
def test_low_precision_is_close_and_finite(head_on, precision, classes):
    """However large the ViT's features are."""
    torch.manual_seed(0)
    model = head_on(SetMaps(16, 3, 4), classes, hidden_size=64).eval()
    model.backbone.maps = 1000 * torch.randn(1, 4, 3, 4)
    images = torch.zeros(1, 3, 48, 64)
    with torch.no_grad():
        exact = model(images)
        with torch.autocast("cpu", precision):
            logits = model(images)
    assert logits.dtype == torch.float32
    assert (logits - exact).abs().max() < 0.3  # cosines times 10


def test_the_backbone_keeps_its_weights(head_on):
    """What the decoder begins with is none of the ViT's business."""
    backbone = SetMaps(16, 2, 2)
    backbone.linear = nn.Linear(4, 4)
    before = backbone.linear.weight.clone()
    assert torch.equal(head_on(backbone).backbone.linear.weight, before)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        *decoders.beyond("hidden_size", 8, 2048),
        *decoders.beyond("layers", 1, 12),
        ("upscale: 3", "upscale: given 3; allowed: 1, 2, or 4"),
        ("mask_norm: batch", "mask_norm: given 'batch'; allowed: 'scale' or 'classes'"),
        decoders.DROPOUT_OF_1,
        decoders.misspelt("layer", "layers", "hidden_size, layers, upscale, mask_norm, dropout"),
    ],
)
def test_options_out_of_bounds(option_error, line, text):
    assert option_error(line) == f"model.decoder.{text}"


@pytest.mark.parametrize("options", [{}, PAPERS])
@pytest.mark.parametrize("size", [(32, 48), (16, 16)])
@pytest.mark.parametrize("classes", [1, 2, 3])
def test_every_parameter_learns(build_head, options, size, classes):
    """Also with one class, one image, one patch."""
    model = build_head(num_classes=classes, image_size=size, options=options).train()
    weights = torch.randn(1, classes, *size)
    loss = (model(torch.randn(1, 3, *size)) * weights).sum()
    assert decoders.unlearned(model, loss) == ([], [])


def test_an_image_does_not_change_its_neighbour_in_the_batch(build_head):
    model = build_head(options={"dropout": 0}).train()
    assert torch.allclose(*decoders.together_and_alone(model), atol=1e-4)


def test_dropout_is_for_training(build_head):
    assert decoders.drops_in_training_alone(build_head(options={"dropout": 0.5}))


def test_the_defaults():
    assert SegmenterOptions().model_dump() == {
        "hidden_size": 256,
        "layers": 2,
        "upscale": 4,
        "mask_norm": "scale",
        "dropout": 0.1,
    }
