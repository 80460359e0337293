"""What a patch says stands where the patch is: not shifted, not scaled by 16/14."""

import decoder_geometry as geometry
import pytest
import torch

from nnunet_vit.testing.maps import SetMaps

pytestmark = pytest.mark.unit

HEAD = "segformer"
ROWS, COLUMNS = 8, 11
VARIANTS = [{"variant": "plain"}, {"variant": "progressive", "detail_channels": 0}, {}]


@pytest.fixture
def head(head_on):
    """`head(patch, options)`: convolutions that pass on what they see, without a shift."""

    def build(patch, options):
        torch.manual_seed(3)
        return geometry.passing_on(head_on(SetMaps(patch, ROWS, COLUMNS), hidden_size=8, **options))

    return build


@pytest.mark.parametrize("patch", [14, 16])
@pytest.mark.parametrize("place", [(50, 70), (23, 101), (64, 64)])
def test_the_images_own_detail_stays_where_it_is(head, patch, place):
    """A bright pixel shows within half a patch of its place."""
    centre = geometry.centre_of_pixel(head(patch, {}), place)
    assert centre == pytest.approx(place, abs=patch / 2)


@pytest.mark.parametrize("options", VARIANTS)
@pytest.mark.parametrize("patch", [8, 14, 16])
@pytest.mark.parametrize("place", [(3, 4), (5, 8), (2, 2), (5, 2)])
def test_a_patch_stays_where_it_is(head, patch, options, place):
    assert geometry.centres_of_patch(head(patch, options), place) == [pytest.approx(place, abs=0.1)]


@pytest.mark.parametrize("options", VARIANTS)
@pytest.mark.parametrize("patch", [14, 16])
@pytest.mark.parametrize("column", [3, 6, 9])
def test_an_edge_stays_where_it_is(head, patch, options, column):
    passed = geometry.turning_point(geometry.line_across(head(patch, options), column), patch)
    # with detail, random mixing bends the slope between two patches, but not beyond them
    assert abs(passed - column * patch) < (patch / 2 if options else patch)


@pytest.mark.parametrize("options", VARIANTS)
def test_random_convolutions_move_it_by_less_than_half_a_patch(head_on, options):
    torch.manual_seed(5)
    model = head_on(SetMaps(16, ROWS, COLUMNS), hidden_size=64, **options).eval()
    assert geometry.centre_with_random_weights(model, (4, 5)) == pytest.approx([4, 5], abs=0.5)


@pytest.mark.parametrize("options", VARIANTS)
@pytest.mark.parametrize("patch", [14, 16])
def test_mirrored_features_give_mirrored_logits(head, patch, options):
    """Nothing on the way up prefers a side, also where 14 leaves a last step below 2."""
    plain, mirrored = geometry.plain_and_mirrored(head(patch, options))
    assert torch.allclose(mirrored, plain, atol=1e-4)
