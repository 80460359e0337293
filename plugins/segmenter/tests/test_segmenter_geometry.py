"""What a patch says stands where the patch is: not shifted, not scaled by 16/14."""

import decoder_geometry as geometry
import pytest
import torch
from torch import nn

from nnunet_vit.testing.checks.alignment import beside, centre_of
from nnunet_vit.testing.maps import SetMaps

pytestmark = pytest.mark.unit

HEAD = "segmenter"
OPTIONS = {"hidden_size": 16}
UPSCALES = [1, 2, 4]


@pytest.fixture
def head(head_on):
    """`head(patch, upscale)` with patches that do not attend to each other.

    All parts of a patch are alike: a random doubling leans to one of its corners.
    """

    def build(patch, upscale):
        torch.manual_seed(3)
        model = geometry.passing_on(head_on(SetMaps(patch, 8, 11), upscale=upscale))
        for layer in model.decoder.layers:
            nn.init.zeros_(layer.attention[1].outputs.weight)
        return model

    return build


@pytest.mark.parametrize("upscale", UPSCALES)
@pytest.mark.parametrize("patch", [8, 14, 16])
@pytest.mark.parametrize("place", [(3, 4), (5, 8), (2, 2)])
def test_a_patch_stays_where_it_is(head, patch, upscale, place):
    model = head(patch, upscale)
    model.backbone.maps[:, :, place[0], place[1]] = geometry.FEATURES
    with torch.no_grad():
        response = beside(model(geometry.blank(model)))
    assert response.max() > 0.1
    assert centre_of(response, patch) == pytest.approx(place, abs=0.02)


@pytest.mark.parametrize("upscale", UPSCALES)
@pytest.mark.parametrize("patch", [14, 16])
@pytest.mark.parametrize("column", [3, 9])
def test_an_edge_is_as_wide_as_a_pixel_of_the_masks(head, patch, upscale, column):
    """And it stays where it is."""
    line = geometry.line_across(head(patch, upscale), column)
    assert geometry.middle_of_slope(line) == pytest.approx(column * patch, abs=0.2)
    slope = line.diff().abs()
    wide = (slope > 1e-3 * slope.max()).sum()
    assert wide.item() == pytest.approx(patch / upscale, abs=1.5)


@pytest.mark.parametrize("upscale", UPSCALES)
@pytest.mark.parametrize("patch", [8, 14])
def test_mirrored_features_give_mirrored_logits(head_on, patch, upscale):
    """With all attention: it knows no sides."""
    torch.manual_seed(4)
    model = geometry.passing_on(head_on(SetMaps(patch, 5, 7), 3, upscale=upscale))
    plain, mirrored = geometry.plain_and_mirrored(model)
    assert torch.allclose(mirrored, plain, atol=1e-4)
    assert plain.std() > 1e-2
