"""What a patch says stands where the patch is: not shifted, not scaled by 16/14."""

import pytest
import torch
from torch import nn

from nnunet_vit.testing.checks.alignment import centre_of
from nnunet_vit.testing.maps import SetMaps

pytestmark = pytest.mark.unit

HEAD = "primus"
ROWS, COLUMNS = 6, 9
VARIANTS = ["single", "multi"]


def maps_of(patch):
    backbone = SetMaps(patch, ROWS, COLUMNS, embed_dim=32)
    backbone.maps = torch.randn(1, 32, 1, 1).repeat(1, 1, ROWS, COLUMNS)
    return backbone


def changes(model, place, patch):
    """Return, per level, where the logits change with the features of one patch."""
    images = torch.zeros(1, 3, ROWS * patch, COLUMNS * patch)
    with torch.no_grad():
        before = model(images)
        model.backbone.maps[:, :, place[0], place[1]] = torch.randn(1, model.backbone.embed_dim)
        after = model(images)
    pairs = zip(after, before, strict=True) if isinstance(after, list) else [(after, before)]
    return [(new - old)[0].abs().sum(dim=0) for new, old in pairs]


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("patch", [8, 14, 16, 32])
@pytest.mark.parametrize("place", [(3, 4), (0, 0), (5, 8)])
def test_a_patch_stays_where_it_is(head_on, variant, patch, place):
    torch.manual_seed(0)
    model = head_on(maps_of(patch), deep_supervision=variant == "multi", variant=variant).eval()
    levels = changes(model, place, patch)
    assert len(levels) == (1 if variant == "single" else {8: 3, 14: 4, 16: 4, 32: 5}[patch])
    for response in levels:
        assert centre_of(response, response.shape[1] / COLUMNS) == pytest.approx(place, abs=0.3)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("patch", [8, 14, 16])
def test_no_other_patch_changes(head_on, variant, patch):
    """Where 14 pixels are interpolated from 16, one pixel beyond the patch may."""
    torch.manual_seed(1)
    (response,) = changes(head_on(maps_of(patch), variant=variant).eval(), (2, 5), patch)
    reach = 1 if patch == 14 else 0
    rows = slice(2 * patch - reach, 3 * patch + reach)
    columns = slice(5 * patch - reach, 6 * patch + reach)
    assert response[2 * patch : 3 * patch, 5 * patch : 6 * patch].min() > 0
    response[rows, columns] = 0
    assert response.max() == 0


@pytest.mark.parametrize("variant", VARIANTS)
def test_constant_patches_of_14_give_an_edge_at_14(head_on, variant):
    """Every doubling repeats its pixel: an edge between patches is then one between pixels."""
    torch.manual_seed(2)
    model = head_on(maps_of(14), variant=variant).eval()
    for module in model.modules():
        if isinstance(module, nn.ConvTranspose2d):
            module.weight.data[:] = module.weight.data[..., :1, :1]
    model.backbone.maps[..., 4:] = torch.randn(1, 32, 1, 1)
    with torch.no_grad():
        line = model(torch.zeros(1, 3, ROWS * 14, COLUMNS * 14))[0, 0, 40]
    assert torch.allclose(line[: 4 * 14 - 1], line[0]) and torch.allclose(
        line[4 * 14 + 1 :], line[-1]
    )
    assert (line[0] - line[-1]).abs() > 1e-3
