"""What a patch says stands where the patch is: not shifted, not scaled by 16/14."""

import pytest
import torch
from torch import nn

from nnunet_vit.testing.building import SetMaps
from nnunet_vit.testing.checks.place import beside, centre_of

pytestmark = pytest.mark.unit

ROWS, COLUMNS = 8, 11
VARIANTS = ["pup", "mla"]
FEATURES = torch.tensor([3.0, -1.0, 2.0, 0.5])


@pytest.fixture
def head(setr_on):
    """`head(patch, variant)`: convolutions that pass on what they see, without a shift."""

    def build(patch, variant, deep=False):
        torch.manual_seed(3)
        model = setr_on(
            SetMaps(patch, ROWS, COLUMNS), deep=deep, hidden_size=32, variant=variant
        ).eval()
        for module in model.modules():
            if isinstance(module, nn.Conv2d) and module.kernel_size != (1, 1):
                nn.init.zeros_(module.weight)
                nn.init.normal_(module.weight[:, :, 1, 1])
        return model, torch.zeros(1, 3, ROWS * patch, COLUMNS * patch)

    return build


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("patch", [8, 14, 16, 32])
@pytest.mark.parametrize("place", [(3, 4), (5, 8), (2, 2)])
def test_a_patch_stays_where_it_is(head, patch, variant, place):
    model, images = head(patch, variant, deep=True)
    model.backbone.maps[:, :, place[0], place[1]] = FEATURES
    with torch.no_grad():
        levels = model(images)
    assert len(levels) == (5 if variant == "mla" else {8: 3, 14: 4, 16: 4, 32: 5}[patch])
    for logits in levels:
        unit = logits.shape[-1] / COLUMNS
        assert centre_of(beside(logits), unit) == pytest.approx(place, abs=0.1)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("patch", [14, 16])
@pytest.mark.parametrize("column", [3, 6, 9])
def test_an_edge_stays_where_it_is(head, patch, variant, column):
    model, images = head(patch, variant)
    model.backbone.maps[..., :column] = FEATURES[None, :, None, None]
    model.backbone.maps[..., column:] = -FEATURES[None, :, None, None]
    with torch.no_grad():
        line = model(images)[0, 0, ROWS * patch // 2]
    left, right = line[patch // 2], line[-patch // 2]
    passed = ((line - left).abs() > (line - right).abs()).nonzero()[0].item()
    assert abs(passed - column * patch) < patch / 2


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("patch", [14, 16])
def test_mirrored_features_give_mirrored_logits(head, patch, variant):
    """Nothing on the way up prefers a side, also where 14 leaves a last step below 2."""
    model, images = head(patch, variant)
    torch.manual_seed(4)
    model.backbone.maps = torch.randn(1, 4, ROWS, COLUMNS)
    with torch.no_grad():
        plain = model(images)
        model.backbone.maps = model.backbone.maps.flip(-1)
        mirrored = model(images)
    assert torch.allclose(mirrored.flip(-1), plain, atol=1e-4)
