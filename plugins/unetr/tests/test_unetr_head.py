"""The unetr head: levels, gradients, options, its two ways of upsampling."""

import decoder_behaviour as decoders
import pytest
import torch
from torch import nn

from nnunet_vit.testing.maps import GivenMaps, NoiseMaps
from nnunet_vit_unetr import UnetrOptions

pytestmark = pytest.mark.unit

HEAD = "unetr"
OPTIONS = {"hidden_size": 32}

UPSAMPLINGS = ["deconvolution", "bilinear"]


@pytest.mark.parametrize(
    ("patch", "strides"),
    [(4, [1, 2]), (8, [1, 2, 4]), (14, [1, 1.75, 3.5, 7]), (16, [1, 2, 4, 8]), (32, [1, 4, 8, 16])],
)
def test_the_levels_of_deep_supervision(head_on, patch, strides):
    levels = head_on(NoiseMaps(patch), deep_supervision=True, hidden_size=16)(
        torch.randn(1, 3, 2 * patch, 3 * patch)
    )
    sizes = [(1, 2, round(2 * patch / stride), round(3 * patch / stride)) for stride in strides]
    assert [tuple(level.shape) for level in levels] == sizes


@pytest.mark.parametrize("upsampling", UPSAMPLINGS)
@pytest.mark.parametrize("channels", [1, 4])
@pytest.mark.parametrize("patch", [4, 8, 12, 14, 16, 32])
def test_other_patches_and_channels(head_on, upsampling, channels, patch):
    model = head_on(NoiseMaps(patch), in_channels=channels, hidden_size=16, upsampling=upsampling)
    assert decoders.shape_of_logits(model, channels) == (2, 2, 2 * patch, 3 * patch)


@pytest.mark.parametrize("hidden", [8, 12, 17, 64])
def test_any_allowed_width(build_head, hidden):
    model = build_head(options={"hidden_size": hidden})
    assert model(torch.zeros(1, 3, 32, 32)).shape == (1, 3, 32, 32)
    widths = [classify.in_channels for classify in model.classifiers]
    assert widths == [max(hidden // 8, 8)]


@pytest.mark.parametrize(
    ("upsampling", "patch", "learned"),
    [("deconvolution", 16, 10), ("deconvolution", 14, 9), ("bilinear", 16, 0)],
)
def test_only_upsamplings_are_learned(head_on, upsampling, patch, learned):
    """Four of the decoder and one, two and three of the levels; 8 times 2 is more than 14."""
    model = head_on(NoiseMaps(patch), hidden_size=16, upsampling=upsampling)
    assert sum(isinstance(part, nn.ConvTranspose2d) for part in model.modules()) == learned


@pytest.mark.parametrize("depth", decoders.QUARTERS)
def test_four_depths_that_begin_with_the_last(head_on, depth):
    backbone = NoiseMaps(16, depth)
    assert head_on(backbone, hidden_size=8)(torch.randn(1, 3, 32, 16)).shape == (1, 2, 32, 16)
    assert backbone.layers == decoders.QUARTERS[depth][::-1]


@pytest.mark.parametrize("size", [(32, 48), (16, 16)])
@pytest.mark.parametrize("upsampling", UPSAMPLINGS)
def test_every_parameter_learns(build_head, upsampling, size):
    """Also with one image per batch and one patch per image: no normalization is over the batch."""
    options = {"upsampling": upsampling}
    model = build_head(image_size=size, deep_supervision=True, options=options).train()
    loss = decoders.squares(model(torch.randn(1, 3, *size)))
    assert decoders.unlearned(model, loss) == ([], [])


def test_without_deep_supervision_no_classifier_is_idle(build_head):
    model = build_head(image_size=(32, 48)).train()
    loss = decoders.squares(model(torch.randn(1, 3, 32, 48)))
    assert decoders.unlearned(model, loss)[0] == []


def test_an_image_does_not_change_its_neighbour_in_the_batch(build_head):
    assert torch.allclose(*decoders.together_and_alone(build_head().eval()), atol=1e-5)


@pytest.mark.parametrize("upsampling", UPSAMPLINGS)
def test_half_precision_is_finite(head_on, upsampling):
    images = 100 * torch.randn(1, 3, 32, 48)
    (logits,) = decoders.in_precision(head_on(NoiseMaps(16), upsampling=upsampling), images)
    assert logits.dtype == torch.float16 and torch.isfinite(logits).all()


def test_the_skips_reach_the_logits(head_on):
    """Each of the four maps and the image changes them."""
    torch.manual_seed(0)
    maps = [torch.randn(1, 6, 2, 3) for _ in range(4)]
    model, images = head_on(GivenMaps(16, maps), hidden_size=16).eval(), torch.randn(1, 3, 32, 48)
    with torch.no_grad():
        of_image = (model(-images) - model(images)).abs().max()
    effects = decoders.effects_of_maps(model, images)
    assert len(effects) == 4
    assert min(*effects, of_image) > 1e-3


@pytest.mark.parametrize(
    ("line", "text"),
    [
        *decoders.beyond("hidden_size", 8, 2048),
        ("upsampling: fast", "upsampling: given 'fast'; allowed: 'deconvolution' or 'bilinear'"),
        decoders.misspelt("hiden_size", "hidden_size", "hidden_size, upsampling"),
    ],
)
def test_options_out_of_bounds(option_error, line, text):
    assert option_error(line) == f"model.decoder.{text}"


def test_the_defaults():
    assert UnetrOptions().model_dump() == {"hidden_size": 128, "upsampling": "deconvolution"}
