"""What a patch says stands where the patch is, through four strides and pooling."""

import decoder_geometry as geometry
import pytest
import torch
from torch import nn

from nnunet_vit.testing.maps import SetMaps

pytestmark = pytest.mark.unit

HEAD = "upernet"
OPTIONS = {"hidden_size": 16}


@pytest.fixture
def head(head_on):
    """`head(patch, rows, columns)`: convolutions that pass on what they see, without a shift."""

    def build(patch, rows, columns, pooling=False):
        torch.manual_seed(3)
        model = geometry.passing_on(head_on(SetMaps(patch, rows, columns)))
        if not pooling:  # its cells are as large as the image
            model.decoder.pooling.fuse[0].weight.data[:, model.backbone.embed_dim :] = 0
        return model

    return build


@pytest.mark.parametrize("place", [(2, 4), (4, 2), (4, 8)])
@pytest.mark.parametrize("patch", [8, 14, 16])
def test_two_by_two_patches_at_even_places_stay_where_they_are(head, patch, place):
    """They are a cell of the coarsest level."""
    (centre,) = geometry.centres_of_patch(head(patch, 10, 14), place, edge=2)
    assert centre == pytest.approx([place[0] + 0.5, place[1] + 0.5], abs=0.1)


@pytest.mark.parametrize("patch", [14, 16])
@pytest.mark.parametrize("column", [3, 6, 9])
def test_an_edge_stays_where_it_is(head, patch, column):
    middle = geometry.middle_of_slope(geometry.line_across(head(patch, 8, 12), column))
    assert middle == pytest.approx(column * patch, abs=patch / 2)


@pytest.mark.parametrize("patch", [14, 16])
@pytest.mark.parametrize("columns", [7, 12])
def test_pooling_over_cells_that_overlap_prefers_no_side(head, patch, columns):
    plain, mirrored = geometry.plain_and_mirrored(head(patch, 5, columns, pooling=True))
    assert torch.allclose(mirrored, plain, atol=1e-4)
    assert plain.std() > 1e-3


@pytest.mark.parametrize("place", [(3, 4), (5, 8), (2, 2), (5, 7)])
@pytest.mark.parametrize("patch", [8, 14, 16])
def test_a_patch_stays_where_it_is_on_odd_grids(head, patch, place):
    (centre,) = geometry.centres_of_patch(head(patch, 9, 11), place)
    assert centre == pytest.approx(place, abs=0.4)


@pytest.mark.parametrize("patch", [14, 16])
def test_random_convolutions_move_it_by_less_than_half_a_patch(head_on, patch):
    torch.manual_seed(5)
    model = head_on(SetMaps(patch, 8, 12), hidden_size=64)
    assert geometry.centre_with_random_weights(model.eval(), (4, 5)) == pytest.approx(
        [4, 5], abs=0.5
    )


@pytest.mark.parametrize("size", [(1, 1), (2, 5), (7, 6), (13, 12)])
@pytest.mark.parametrize("cells", [(1, 1), (2, 3), (6, 6), (7, 1)])
def test_means_over_a_grid_are_those_of_adaptive_pooling(size, cells):
    from nnunet_vit.blocks.pyramid import grid_means

    features = torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(1))
    expected = nn.functional.adaptive_avg_pool2d(features, cells)
    torch.testing.assert_close(grid_means(features, *cells), expected)
