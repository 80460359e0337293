"""What a patch says stands where the patch is: not shifted, not scaled by 16/14."""

import pytest
import torch
from torch import nn

pytestmark = pytest.mark.unit

ROWS, COLUMNS = 6, 9
VARIANTS = ["single", "multi"]


class Maps(nn.Module):
    """A backbone whose maps are what the test sets, the same at each level."""

    embed_dim, depth = 32, 12

    def __init__(self, patch_size):
        super().__init__()
        self.patch_size = patch_size
        self.maps = torch.randn(1, self.embed_dim, 1, 1).repeat(1, 1, ROWS, COLUMNS)

    def feature_maps(self, images, layers):
        return [self.maps for _ in layers]


def changes(model, place, patch):
    """Return, per level, where the logits change with the features of one patch."""
    images = torch.zeros(1, 3, ROWS * patch, COLUMNS * patch)
    with torch.no_grad():
        before = model(images)
        model.backbone.maps[:, :, place[0], place[1]] = torch.randn(1, model.backbone.embed_dim)
        after = model(images)
    pairs = zip(after, before, strict=True) if isinstance(after, list) else [(after, before)]
    return [(new - old)[0].abs().sum(dim=0) for new, old in pairs]


def centre_of(response):
    """Return the centre of mass in patches, counted at their middle."""
    height, width = response.shape
    rows, columns = torch.arange(height) + 0.5, torch.arange(width) + 0.5
    total = response.sum()
    return [
        ((response.sum(dim=1) * rows).sum() / total * ROWS / height - 0.5).item(),
        ((response.sum(dim=0) * columns).sum() / total * COLUMNS / width - 0.5).item(),
    ]


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("patch", [8, 14, 16, 32])
@pytest.mark.parametrize("place", [(3, 4), (0, 0), (5, 8)])
def test_a_patch_stays_where_it_is(primus_on, variant, patch, place):
    torch.manual_seed(0)
    model = primus_on(Maps(patch), deep=variant == "multi", variant=variant).eval()
    levels = changes(model, place, patch)
    assert len(levels) == (1 if variant == "single" else {8: 3, 14: 4, 16: 4, 32: 5}[patch])
    for response in levels:
        assert centre_of(response) == pytest.approx(place, abs=0.3)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("patch", [8, 14, 16])
def test_no_other_patch_changes(primus_on, variant, patch):
    """Where 14 pixels are interpolated from 16, one pixel beyond the patch may."""
    torch.manual_seed(1)
    (response,) = changes(primus_on(Maps(patch), variant=variant).eval(), (2, 5), patch)
    reach = 1 if patch == 14 else 0
    rows = slice(2 * patch - reach, 3 * patch + reach)
    columns = slice(5 * patch - reach, 6 * patch + reach)
    assert response[2 * patch : 3 * patch, 5 * patch : 6 * patch].min() > 0
    response[rows, columns] = 0
    assert response.max() == 0


@pytest.mark.parametrize("variant", VARIANTS)
def test_constant_patches_of_14_give_an_edge_at_14(primus_on, variant):
    """Every doubling repeats its pixel: an edge between patches is then one between pixels."""
    torch.manual_seed(2)
    model = primus_on(Maps(14), variant=variant).eval()
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
