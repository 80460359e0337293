"""What a patch says stands where the patch is, through four strides."""

import decoder_geometry as geometry
import pytest
import torch
from torch import nn

from nnunet_vit.testing.maps import SetMaps

pytestmark = pytest.mark.unit

HEAD = "dpt"


@pytest.fixture
def head(head_on):
    """`head(patch, rows, columns)`: convolutions that pass on what they see, without a shift."""

    def build(patch, rows, columns, readout="ignore"):
        torch.manual_seed(3)
        model = head_on(SetMaps(patch, rows, columns), hidden_size=16, readout=readout)
        return geometry.passing_on(model, scale=0.25)

    return build


@pytest.mark.parametrize("patch", [8, 14, 16])
@pytest.mark.parametrize("place", [(2, 4), (4, 2), (4, 8)])
def test_a_block_of_patches_stays_where_it_is(head, patch, place):
    """Two by two, at even places: a cell of the coarsest level."""
    expected = pytest.approx([index + 0.5 for index in place], abs=0.1)
    assert geometry.centres_of_patch(head(patch, 10, 14), place, edge=2) == [expected]


@pytest.mark.parametrize("patch", [8, 14, 16])
@pytest.mark.parametrize("place", [(3, 4), (5, 8), (2, 2), (5, 7)])
def test_a_patch_stays_where_it_is_on_odd_grids(head, patch, place):
    assert geometry.centres_of_patch(head(patch, 9, 11), place) == [pytest.approx(place, abs=0.4)]


@pytest.mark.parametrize("patch", [14, 16])
@pytest.mark.parametrize("column", [3, 6, 9])
def test_an_edge_stays_where_it_is(head, patch, column):
    line = geometry.line_across(head(patch, 8, 12), column)
    assert geometry.middle_of_slope(line) == pytest.approx(column * patch, abs=patch / 2)


@pytest.mark.parametrize("patch", [14, 16])
@pytest.mark.parametrize("columns", [7, 12])
def test_mirrored_features_give_mirrored_logits(head, patch, columns):
    """Nothing prefers a side, an odd number of patches included."""
    plain, mirrored = geometry.plain_and_mirrored(head(patch, 5, columns))
    assert torch.allclose(mirrored, plain, atol=1e-4)
    assert plain.std() > 1e-3


@pytest.mark.parametrize("patch", [14, 16])
def test_random_convolutions_move_it_by_less_than_half_a_patch(head_on, patch):
    torch.manual_seed(5)
    model = head_on(SetMaps(patch, 8, 12), hidden_size=64).eval()
    assert geometry.centre_with_random_weights(model, (4, 5)) == pytest.approx([4, 5], abs=0.5)


def test_a_ramp_keeps_its_slope_and_place_at_each_doubling(head_on):
    """Corners that are aligned would stretch it about the image's middle."""
    model = head_on(SetMaps(16, 4, 4), hidden_size=8)
    ramp = (torch.arange(6) + 0.5).expand(1, 8, 4, 6)
    for fuse in model.decoder.fusions:
        for module in (fuse.refine, fuse.enter or fuse.refine):
            for value in module.parameters():
                nn.init.zeros_(value)
        nn.init.eye_(fuse.project.weight.data[:, :, 0, 0])
        nn.init.zeros_(fuse.project.bias)
        before = torch.zeros_like(ramp) if fuse.enter else None
        with torch.no_grad():
            doubled = (fuse(ramp, None) if before is None else fuse(before, ramp))[0, 0, 0]
        assert torch.allclose(doubled[1:-1], (torch.arange(1, 11) + 0.5) / 2)
