"""What a patch or a pixel says stands where it is: through levels, exchange and decoder."""

import decoder_geometry as geometry
import pytest
import torch
from torch import nn

from nnunet_vit.testing.checks.alignment import centre_of
from nnunet_vit.testing.maps import SetMaps

pytestmark = pytest.mark.unit

HEAD = "dino_unet"
OPTIONS = {"hidden_size": 32}
ROWS, COLUMNS = 10, 14


@pytest.fixture
def head(head_on):
    """`head(patch)`: convolutions pass on what they see, without a shift of their own."""

    def build(patch, rows=ROWS, columns=COLUMNS, deep=False, still=True):
        torch.manual_seed(3)
        model = geometry.passing_on(head_on(SetMaps(patch, rows, columns), deep_supervision=deep))
        for extractor in model.extractors if still else []:
            nn.init.zeros_(extractor.attention.query.weight)
            nn.init.zeros_(extractor.attention.query.bias)
        return model

    return build


@pytest.mark.parametrize("patch", [8, 14, 16, 32])
@pytest.mark.parametrize("place", [(2, 4), (4, 2), (4, 8)])
def test_a_block_of_patches_stays_where_it_is_at_every_level(head, patch, place):
    """Two by two, at even places: a cell of the coarsest level."""
    centres = geometry.centres_of_patch(head(patch, deep=True), place, edge=2)
    assert len(centres) > 1
    for centre in centres:
        assert centre == pytest.approx([place[0] + 0.5, place[1] + 0.5], abs=0.1)


@pytest.mark.parametrize("patch", [8, 14, 16])
@pytest.mark.parametrize("place", [(3, 4), (5, 8), (2, 2), (5, 7)])
def test_a_patch_stays_where_it_is_on_odd_grids(head, patch, place):
    assert geometry.centres_of_patch(head(patch, 9, 11), place) == [pytest.approx(place, abs=0.4)]


@pytest.mark.parametrize("patch", [8, 14, 16])
@pytest.mark.parametrize("place", [(50, 70), (23, 41)])
def test_the_images_own_detail_stays_where_it_is(head, patch, place):
    """A bright pixel, with features that say nothing; the coarsest level says it over 2 patches."""
    response = geometry.response_to_pixel(head(patch), place)
    assert centre_of(response, 1) == pytest.approx(place, abs=patch / 2)
    peak = divmod(int(response.argmax()), response.shape[1])
    assert peak == pytest.approx(place, abs=1)


@pytest.mark.parametrize("patch", [8, 14, 16])
@pytest.mark.parametrize("columns", [7, 12])
def test_mirrored_images_and_features_give_mirrored_logits(head, patch, columns):
    """Nothing prefers a side, attention included."""
    plain, mirrored = geometry.plain_and_mirrored(head(patch, 5, columns, still=False))
    assert torch.allclose(mirrored, plain, atol=1e-4)
    assert plain.std() > 1e-3


@pytest.mark.parametrize("patch", [14, 16])
def test_random_weights_move_it_by_less_than_half_a_patch(head_on, patch):
    torch.manual_seed(5)
    model = head_on(SetMaps(patch, ROWS, COLUMNS), hidden_size=64).eval()
    assert geometry.centre_with_random_weights(model, (4, 5)) == pytest.approx([4, 5], abs=0.5)
