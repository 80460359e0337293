"""What a patch says stands where the patch is: not shifted, not scaled by 16/14."""

import pytest
import torch
from torch import nn

from nnunet_vit.testing.building import SetMaps
from nnunet_vit.testing.checks.place import beside, centre_of

pytestmark = pytest.mark.unit

ROWS, COLUMNS = 8, 11
UPSCALES = [1, 2, 4]
FEATURES = torch.tensor([3.0, -1.0, 2.0, 0.5])


def flat(model):
    """Let all parts of a patch be alike: a random doubling leans to one of its corners."""
    for module in model.modules():
        if isinstance(module, nn.ConvTranspose2d):
            module.weight.data[:] = module.weight.data[..., :1, :1]
    return model.eval()


@pytest.fixture
def head(segmenter_on):
    """`head(patch, upscale)` with patches that do not attend to each other."""

    def build(patch, upscale):
        torch.manual_seed(3)
        backbone = SetMaps(patch, ROWS, COLUMNS)
        model = flat(segmenter_on(backbone, hidden_size=16, upscale=upscale))
        for layer in model.decoder.layers:
            nn.init.zeros_(layer.attention[1].outputs.weight)
        return model, torch.zeros(1, 3, ROWS * patch, COLUMNS * patch)

    return build


@pytest.mark.parametrize("upscale", UPSCALES)
@pytest.mark.parametrize("patch", [8, 14, 16])
@pytest.mark.parametrize("place", [(3, 4), (5, 8), (2, 2)])
def test_a_patch_stays_where_it_is(head, patch, upscale, place):
    model, images = head(patch, upscale)
    model.backbone.maps[:, :, place[0], place[1]] = FEATURES
    with torch.no_grad():
        response = beside(model(images))
    assert response.max() > 0.1
    assert centre_of(response, patch) == pytest.approx(place, abs=0.02)


@pytest.mark.parametrize("upscale", UPSCALES)
@pytest.mark.parametrize("patch", [14, 16])
@pytest.mark.parametrize("column", [3, 9])
def test_an_edge_is_as_wide_as_a_pixel_of_the_masks(head, patch, upscale, column):
    """And it stays where it is."""
    model, images = head(patch, upscale)
    model.backbone.maps[..., :column] = FEATURES[None, :, None, None]
    model.backbone.maps[..., column:] = -FEATURES[None, :, None, None]
    with torch.no_grad():
        slope = model(images)[0, 0, 4 * patch].diff().abs()
    middle = (slope * torch.arange(1, len(slope) + 1)).sum() / slope.sum()
    assert middle.item() == pytest.approx(column * patch, abs=0.2)
    wide = (slope > 1e-3 * slope.max()).sum()
    assert wide.item() == pytest.approx(patch / upscale, abs=1.5)


@pytest.mark.parametrize("upscale", UPSCALES)
@pytest.mark.parametrize("patch", [8, 14])
def test_mirrored_features_give_mirrored_logits(segmenter_on, patch, upscale):
    """With all attention: it knows no sides."""
    torch.manual_seed(4)
    model = flat(segmenter_on(SetMaps(patch, 5, 7), 3, hidden_size=16, upscale=upscale))
    images = torch.zeros(1, 3, 5 * patch, 7 * patch)
    model.backbone.maps = torch.randn(1, 4, 5, 7)
    with torch.no_grad():
        plain = model(images)
        model.backbone.maps = model.backbone.maps.flip(-1)
        mirrored = model(images)
    assert torch.allclose(mirrored.flip(-1), plain, atol=1e-4)
    assert plain.std() > 1e-2
