"""The upernet head: strides, gradients, deep supervision, options."""

import decoder_behaviour as decoders
import pytest
import torch

from nnunet_vit.testing.maps import NoiseMaps
from nnunet_vit_upernet import UperNetOptions

pytestmark = pytest.mark.unit

HEAD = "upernet"
OPTIONS = {"hidden_size": 32}


@pytest.mark.parametrize("patch", [8, 14, 16, 32])
def test_the_pyramid_has_four_strides(head_on, patch):
    model = head_on(NoiseMaps(patch), hidden_size=16)
    images = torch.randn(2, 3, 4 * patch, 5 * patch)
    levels = model.pyramid(model.backbone.feature_maps(images, range(4)))
    assert [level.shape[-2:] for level in levels] == [(16, 20), (8, 10), (4, 5), (2, 3)]
    assert [level.shape[1] for level in levels] == model.pyramid.widths == [16, 16, 6, 6]
    assert model(images).shape == (2, 2, 4 * patch, 5 * patch)


@pytest.mark.parametrize("depth", decoders.QUARTERS)
def test_the_levels_end_with_the_last_block(head_on, depth):
    backbone = NoiseMaps(16, depth)
    assert head_on(backbone)(torch.zeros(1, 3, 32, 32)).shape == (1, 2, 32, 32)
    assert backbone.layers == decoders.QUARTERS[depth]


@pytest.mark.parametrize("hidden", [8, 12, 17, 68])
def test_any_allowed_width_on_an_image_of_one_patch(build_head, hidden):
    """Also in training, where one value per channel is all that some maps have."""
    model = build_head(options={"hidden_size": hidden}, deep_supervision=True)
    assert decoders.widths_on_one_patch(model) == [16, 2, 1, 1]


@pytest.mark.parametrize("levels", [1, 4])
@pytest.mark.parametrize("batch", [1, 2])
def test_every_parameter_learns(build_head, batch, levels):
    """With deep supervision and where the coarser levels are dropped."""
    settings = {"image_size": (64, 96), "deep_supervision": True}
    model = build_head(options={"dropout": 0}, **settings).train()
    loss = decoders.squares(model(torch.randn(batch, 3, 64, 96))[:levels])
    assert decoders.unlearned(model, loss) == ([], [])


def test_deep_supervision_is_finest_first_and_changes_no_parameter(build_head):
    deep = build_head(image_size=(64, 96), deep_supervision=True)
    shapes = decoders.shapes_of_levels(
        deep, build_head(image_size=(64, 96)), torch.randn(2, 3, 64, 96)
    )
    assert shapes == [(2, 3, 64, 96), (2, 3, 8, 12), (2, 3, 4, 6), (2, 3, 2, 3)]


def test_an_image_does_not_change_its_neighbour_in_the_batch(build_head):
    """Not even in training."""
    model = build_head(options={"dropout": 0})
    assert torch.allclose(*decoders.together_and_alone(model.train()), atol=1e-5)


def test_dropout_is_for_training(build_head):
    assert build_head().dropout.p == 0.1
    assert decoders.drops_in_training_alone(build_head(options={"dropout": 0.5}))


def test_half_precision_is_finite(build_head):
    model = build_head(deep_supervision=True)
    levels = decoders.in_precision(model, 100 * torch.randn(1, 3, 48, 32))
    assert [bool(torch.isfinite(level).all()) for level in levels] == [True] * 4


@pytest.mark.parametrize(
    ("line", "text"),
    [
        *decoders.beyond("hidden_size", 8, 2048),
        decoders.misspelt("hiden_size", "hidden_size", "hidden_size, dropout"),
        decoders.DROPOUT_OF_1,
    ],
)
def test_options_out_of_bounds(option_error, line, text):
    assert option_error(line) == f"model.decoder.{text}"


def test_the_defaults():
    assert (UperNetOptions().hidden_size, UperNetOptions().dropout) == (256, 0.1)
