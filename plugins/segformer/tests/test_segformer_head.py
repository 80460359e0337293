"""The segformer head: gradients, options, its two variants."""

import decoder_behaviour as decoders
import pytest
import torch
from torch import nn

from nnunet_vit.testing.maps import NoiseMaps
from nnunet_vit_segformer import SegformerOptions

pytestmark = pytest.mark.unit

HEAD = "segformer"
OPTIONS = {"hidden_size": 32}

VARIANTS = ["progressive", "plain"]


@pytest.mark.parametrize("hidden", [8, 12, 17, 64])
def test_any_allowed_width(build_head, hidden):
    model = build_head(options={"hidden_size": hidden})
    assert model(torch.zeros(1, 3, 32, 32)).shape == (1, 3, 32, 32)


def test_the_plain_variant_has_no_convolution_over_neighbours(build_head):
    sizes = {
        variant: {
            module.kernel_size[0]
            for name, module in build_head(options={"variant": variant}).named_modules()
            if isinstance(module, nn.Conv2d) and not name.startswith("backbone.")
        }
        for variant in VARIANTS
    }
    assert sizes == {"progressive": {1, 3}, "plain": {1}}


def test_the_plain_variant_upsamples_its_logits_at_once(build_head):
    model = build_head(image_size=(32, 48), options={"variant": "plain"}).eval()
    with torch.no_grad():
        logits = model(torch.randn(1, 3, 32, 48))
    # bilinear between the middles of patches: steps along a row are equal there
    steps = logits[..., 8:40].diff(dim=-1)[..., [1, 5, 9]]
    assert torch.allclose(steps[..., :1], steps, atol=1e-5)
    assert steps.abs().max() > 1e-4


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


HIDDEN = "allowed: an integer from 8 to 4096"


@pytest.mark.parametrize(
    ("line", "text"),
    [
        *decoders.beyond("hidden_size", 8, 4096),
        *decoders.beyond("detail_channels", 0, 512),
        ("hidden_size: 64.0", f"hidden_size: given 64.0; {HIDDEN}"),
        ("hidden_size: null", f"hidden_size: given null; {HIDDEN}"),
        ("dropout: true", "dropout: given true; allowed: a number of at least 0 and less than 1"),
        decoders.DROPOUT_OF_1,
        ("variant: fast", "variant: given 'fast'; allowed: 'progressive' or 'plain'"),
        decoders.misspelt(
            "hiden_size", "hidden_size", "hidden_size, variant, detail_channels, dropout"
        ),
    ],
)
def test_options_out_of_bounds(option_error, line, text):
    assert option_error(line) == f"model.decoder.{text}"


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("batch", [1, 2])
def test_every_parameter_learns(build_head, variant, batch):
    """Also with one image per batch: no normalization is over the batch."""
    options = {"variant": variant, "dropout": 0}
    model = build_head(image_size=(32, 48), options=options).train()
    loss = decoders.squares(model(torch.randn(batch, 3, 32, 48)))
    assert decoders.unlearned(model, loss) == ([], [])


def test_an_image_does_not_change_its_neighbour_in_the_batch(build_head):
    assert torch.allclose(*decoders.together_and_alone(build_head().eval()), atol=1e-5)


def test_dropout_is_for_training(build_head):
    assert decoders.drops_in_training_alone(build_head(options={"dropout": 0.5}))
    assert build_head().dropout.p == 0.1


@pytest.mark.parametrize("option", [{}, {"detail_channels": 0}, {"detail_channels": 3}])
@pytest.mark.parametrize("patch", [8, 14, 16, 32])
def test_other_patches_and_details(head_on, option, patch):
    model = head_on(NoiseMaps(patch, depth=2), in_channels=4, hidden_size=16, **option)
    assert decoders.shape_of_logits(model, channels=4) == (2, 2, 2 * patch, 3 * patch)


def test_the_defaults():
    options = SegformerOptions()
    assert (options.hidden_size, options.variant, options.dropout) == (256, "progressive", 0.1)
