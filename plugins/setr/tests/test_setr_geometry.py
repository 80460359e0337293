"""What a patch says stands where the patch is: not shifted, not scaled by 16/14."""

import decoder_geometry as geometry
import pytest
import torch

from nnunet_vit.testing.maps import SetMaps

pytestmark = pytest.mark.unit

HEAD = "setr"
OPTIONS = {"hidden_size": 32}
VARIANTS = ["pup", "mla"]


@pytest.fixture
def head(head_on):
    """`head(patch, variant)`: convolutions that pass on what they see, without a shift."""

    def build(patch, variant, deep=False):
        torch.manual_seed(3)
        return geometry.passing_on(
            head_on(SetMaps(patch, 8, 11), deep_supervision=deep, variant=variant)
        )

    return build


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("patch", [8, 14, 16, 32])
@pytest.mark.parametrize("place", [(3, 4), (5, 8), (2, 2)])
def test_a_patch_stays_where_it_is(head, patch, variant, place):
    levels = 5 if variant == "mla" else {8: 3, 14: 4, 16: 4, 32: 5}[patch]
    centres = geometry.centres_of_patch(head(patch, variant, deep=True), place)
    assert centres == [pytest.approx(place, abs=0.1)] * levels


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("patch", [14, 16])
@pytest.mark.parametrize("column", [3, 6, 9])
def test_an_edge_stays_where_it_is(head, patch, variant, column):
    passed = geometry.turning_point(geometry.line_across(head(patch, variant), column), patch)
    assert abs(passed - column * patch) < patch / 2


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("patch", [14, 16])
def test_mirrored_features_give_mirrored_logits(head, patch, variant):
    """Nothing on the way up prefers a side, also where 14 leaves a last step below 2."""
    plain, mirrored = geometry.plain_and_mirrored(head(patch, variant))
    assert torch.allclose(mirrored, plain, atol=1e-4)
