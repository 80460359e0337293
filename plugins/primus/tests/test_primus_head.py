"""The primus head: levels, gradients, options, its two variants."""

import decoder_behaviour as decoders
import pytest
import torch

from nnunet_vit.testing.maps import GivenMaps, NoiseMaps
from nnunet_vit_primus import PrimusOptions

pytestmark = pytest.mark.unit

HEAD = "primus"

VARIANTS = ["single", "multi"]


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("classes", [1, 2, 20])
@pytest.mark.parametrize("patch", [1, 2, 4, 8, 12, 14, 16, 32])
def test_other_patches_and_class_counts(head_on, variant, classes, patch):
    model = head_on(NoiseMaps(patch), classes, variant=variant)
    logits = model(torch.randn(2, 3, 2 * patch, 3 * patch))
    assert logits.shape == (2, classes, 2 * patch, 3 * patch)


@pytest.mark.parametrize(
    ("patch", "scales"), [(4, [4, 2]), (8, [8, 4, 2]), (14, [14, 8, 4, 2]), (16, [16, 8, 4, 2])]
)
def test_the_levels_of_deep_supervision(head_on, patch, scales):
    images = torch.randn(1, 3, 2 * patch, 3 * patch)
    levels = head_on(NoiseMaps(patch), deep_supervision=True, variant="multi")(images)
    assert [tuple(level.shape) for level in levels] == [(1, 2, 2 * s, 3 * s) for s in scales]
    assert head_on(NoiseMaps(patch), deep_supervision=True)(images).shape == (
        1,
        2,
        2 * patch,
        3 * patch,
    )


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
def test_the_layers_begin_with_the_last(head_on, depth, patch, layers):
    model = head_on(NoiseMaps(patch, depth), variant="multi")
    assert model(torch.randn(1, 3, 2 * patch, patch)).shape == (1, 2, 2 * patch, patch)
    assert model.backbone.layers == layers
    single = head_on(NoiseMaps(patch, depth))
    single(torch.randn(1, 3, patch, patch))
    assert single.backbone.layers == [-1]


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("variant: double", "variant: given 'double'; allowed: 'single' or 'multi'"),
        ("hidden_size: 64", "hidden_size: unknown key, given 'hidden_size'. Allowed: variant"),
    ],
)
def test_options_out_of_bounds(option_error, line, text):
    assert option_error(line) == f"model.decoder.{text}"


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("size", [(32, 48), (16, 16)])
def test_every_parameter_learns(build_head, variant, deep, size):
    options = {"variant": variant}
    model = build_head(image_size=size, deep_supervision=deep, options=options).train()
    loss = decoders.squares(model(torch.randn(1, 3, *size)))
    assert decoders.unlearned(model, loss) == ([], [])


@pytest.mark.parametrize("variant", VARIANTS)
def test_half_precision_is_finite(head_on, variant):
    """The first normalization keeps what the ViT says, however large, in range."""
    model = head_on(NoiseMaps(16, scale=1000), variant=variant)
    (logits,) = decoders.in_precision(model, torch.randn(1, 3, 32, 48))
    assert logits.dtype == torch.float16
    assert logits.abs().max() < 100


def test_each_of_the_four_maps_reaches_the_logits(head_on):
    torch.manual_seed(0)
    backbone = GivenMaps(16, [torch.randn(1, 12, 2, 3) for _ in range(4)])
    model = head_on(backbone, variant="multi").eval()
    effects = decoders.effects_of_maps(model, torch.zeros(1, 3, 32, 48))
    assert len(effects) == 4 and min(effects) > 1e-3


@pytest.mark.parametrize("variant", VARIANTS)
def test_an_image_does_not_change_its_neighbour_in_the_batch(build_head, variant):
    model = build_head(options={"variant": variant}).eval()
    assert torch.allclose(*decoders.together_and_alone(model), atol=1e-5)


def test_the_defaults():
    assert PrimusOptions().model_dump() == {"variant": "single"}
