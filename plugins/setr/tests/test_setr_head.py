"""The setr head: levels, gradients, options, its two variants."""

import decoder_behaviour as decoders
import pytest
import torch
from torch import nn

from nnunet_vit.testing.maps import GivenMaps, NoiseMaps
from nnunet_vit_setr import SetrOptions

pytestmark = pytest.mark.unit

HEAD = "setr"
OPTIONS = {"hidden_size": 32}

VARIANTS = ["pup", "mla"]


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("channels", [1, 4])
@pytest.mark.parametrize("patch", [4, 8, 12, 14, 16, 32])
def test_other_patches_and_channels(head_on, variant, channels, patch):
    model = head_on(NoiseMaps(patch), in_channels=channels, hidden_size=16, variant=variant)
    assert decoders.shape_of_logits(model, channels) == (2, 2, 2 * patch, 3 * patch)


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
def test_the_levels_of_deep_supervision(head_on, variant, patch, scales):
    model = head_on(NoiseMaps(patch), deep_supervision=True, hidden_size=16, variant=variant)
    levels = model(torch.randn(1, 3, 2 * patch, 3 * patch))
    assert [tuple(level.shape) for level in levels] == [(1, 2, 2 * s, 3 * s) for s in scales]


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("hidden", [8, 12, 17, 64])
def test_any_allowed_width(build_head, variant, hidden):
    model = build_head(options={"hidden_size": hidden, "variant": variant})
    assert model(torch.zeros(1, 3, 32, 32)).shape == (1, 3, 32, 32)


def test_progressive_upsampling_takes_the_last_map(head_on):
    model = head_on(NoiseMaps(16), hidden_size=8)
    model(torch.randn(1, 3, 32, 16))
    assert model.backbone.layers == [-1]


def test_deeper_maps_flow_into_shallower_streams(head_on):
    """And not the other way: a stream is changed by its own map and by those that are deeper."""
    torch.manual_seed(0)
    maps = [torch.randn(1, 6, 2, 3) for _ in range(4)]
    model = head_on(GivenMaps(16, maps), hidden_size=16, variant="mla").eval()
    with torch.no_grad():
        before = model.aggregate(maps)
        for level in range(4):
            changed = [-kept if place == level else kept for place, kept in enumerate(maps)]
            after = model.aggregate(changed)
            same = [torch.equal(new, old) for new, old in zip(after, before, strict=True)]
            assert same == [place < level for place in range(4)]


@pytest.mark.parametrize("patch", [14, 16])
def test_aggregation_gives_the_papers_logits(head_on, patch):
    """The paper upsamples by 4, joins the streams, classifies and upsamples by 4 again."""
    torch.manual_seed(0)
    maps = [torch.randn(1, 6, 3, 4) for _ in range(4)]
    model = head_on(GivenMaps(patch, maps), hidden_size=16, variant="mla").eval()
    images = torch.zeros(1, 3, 3 * patch, 4 * patch)
    with torch.no_grad():
        streams = [
            nn.functional.interpolate(stream, scale_factor=4, mode="bilinear")
            for stream in model.aggregate(maps)
        ]
        classes = model.classifier(torch.cat(streams, dim=1))
        expected = nn.functional.interpolate(classes, size=images.shape[-2:], mode="bilinear")
        assert torch.allclose(model(images), expected, atol=1e-5)


def test_progressive_upsampling_gives_the_papers_logits(head_on):
    """The paper doubles after each of four convolutions and classifies at the images' size."""
    torch.manual_seed(0)
    features = torch.randn(1, 6, 3, 4)
    model = head_on(GivenMaps(16, [features]), hidden_size=16).eval()
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
        ("variant: naive", "variant: given 'naive'; allowed: 'pup' or 'mla'"),
        decoders.misspelt("hiden_size", "hidden_size", "hidden_size, variant"),
        *decoders.beyond("hidden_size", 8, 2048),
    ],
)
def test_options_out_of_bounds(option_error, line, text):
    assert option_error(line) == f"model.decoder.{text}"


@pytest.mark.parametrize("depth", decoders.QUARTERS)
def test_four_depths_that_begin_with_the_last(head_on, depth):
    model = head_on(NoiseMaps(16, depth), hidden_size=8, variant="mla")
    assert model(torch.randn(1, 3, 32, 16)).shape == (1, 2, 32, 16)
    assert model.backbone.layers == decoders.QUARTERS[depth][::-1]


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("size", [(32, 48), (16, 16)])
def test_every_parameter_learns(build_head, variant, size):
    """Also with one image per batch and one patch per image: no normalization is over the batch."""
    model = build_head(image_size=size, deep_supervision=True, options={"variant": variant})
    loss = decoders.squares(model.train()(torch.randn(1, 3, *size)))
    assert decoders.unlearned(model, loss) == ([], [])


@pytest.mark.parametrize("variant", VARIANTS)
def test_without_deep_supervision_no_classifier_is_idle(build_head, variant):
    model = build_head(image_size=(32, 48), options={"variant": variant}).train()
    idle, _ = decoders.unlearned(model, decoders.squares(model(torch.randn(1, 3, 32, 48))))
    assert idle == []


@pytest.mark.parametrize("variant", VARIANTS)
def test_an_image_does_not_change_its_neighbour_in_the_batch(build_head, variant):
    model = build_head(options={"variant": variant}).eval()
    assert torch.allclose(*decoders.together_and_alone(model), atol=1e-5)


@pytest.mark.parametrize("variant", VARIANTS)
def test_half_precision_is_finite(head_on, variant):
    model = head_on(NoiseMaps(16), variant=variant)
    (logits,) = decoders.in_precision(model, 100 * torch.randn(1, 3, 32, 48))
    assert logits.dtype == torch.float16 and torch.isfinite(logits).all()


def test_the_defaults():
    assert SetrOptions().model_dump() == {"hidden_size": 256, "variant": "pup"}
