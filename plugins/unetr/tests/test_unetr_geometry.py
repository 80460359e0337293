"""What a patch says stands where the patch is: not shifted, not scaled by 16/14."""

import decoder_geometry as geometry
import pytest
import torch

from nnunet_vit.testing.maps import SetMaps

pytestmark = pytest.mark.unit

HEAD = "unetr"
UPSAMPLINGS = ["deconvolution", "bilinear"]


@pytest.fixture
def maps():
    """`maps(patch)` is the backbone."""
    return lambda patch: SetMaps(patch, 8, 11)


@pytest.fixture
def head(head_on, maps):
    """`head(patch, upsampling)`: convolutions pass on what they see, without a shift of their own.

    A deconvolution says the same at its four pixels.
    """

    def build(patch, upsampling, **settings):
        torch.manual_seed(3)
        return geometry.passing_on(
            head_on(maps(patch), hidden_size=32, upsampling=upsampling, **settings)
        )

    return build


@pytest.mark.parametrize("upsampling", UPSAMPLINGS)
@pytest.mark.parametrize("patch", [8, 14, 16, 32])
@pytest.mark.parametrize("place", [(3, 4), (5, 8), (2, 2)])
def test_a_patch_stays_where_it_is(head, patch, upsampling, place):
    assert geometry.centres_of_patch(head(patch, upsampling), place) == [
        pytest.approx(place, abs=0.1)
    ]


@pytest.mark.parametrize("patch", [8, 14, 16])
def test_a_patch_stays_where_it_is_at_every_level(head, patch):
    centres = geometry.centres_of_patch(head(patch, "deconvolution", deep_supervision=True), (3, 7))
    assert len(centres) > 1
    assert centres == [pytest.approx((3, 7), abs=0.1)] * len(centres)


@pytest.mark.parametrize("upsampling", UPSAMPLINGS)
@pytest.mark.parametrize("patch", [14, 16])
@pytest.mark.parametrize("place", [(50, 70), (23, 101)])
def test_the_image_stays_where_it_is(head, patch, upsampling, place):
    """A bright pixel, with features that say nothing, shows at its place."""
    centre = geometry.centre_of_pixel(head(patch, upsampling), place)
    assert centre == pytest.approx(place, abs=0.1)


@pytest.mark.parametrize("upsampling", UPSAMPLINGS)
@pytest.mark.parametrize("patch", [14, 16])
def test_mirrored_features_give_mirrored_logits(head, patch, upsampling):
    """Nothing on the way up prefers a side, also where 14 leaves a last step below 2."""
    plain, mirrored = geometry.plain_and_mirrored(head(patch, upsampling))
    assert torch.allclose(mirrored, plain, atol=1e-4)


@pytest.mark.parametrize("upsampling", UPSAMPLINGS)
@pytest.mark.parametrize("patch", [14, 16])
def test_random_convolutions_move_it_by_less_than_half_a_patch(head_on, maps, patch, upsampling):
    torch.manual_seed(5)
    model = head_on(maps(patch), hidden_size=64, upsampling=upsampling)
    assert geometry.centre_with_random_weights(model.eval(), (4, 5)) == pytest.approx(
        [4, 5], abs=0.5
    )
