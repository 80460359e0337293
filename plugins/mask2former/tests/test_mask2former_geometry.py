"""What a patch says stands where the patch is, through four strides and deformable attention."""

import pytest
import torch
from torch import nn

from nnunet_vit.testing.checks.alignment import centre_of
from nnunet_vit.testing.maps import SetMaps

pytestmark = pytest.mark.unit

HEAD = "mask2former"
OPTIONS = {"hidden_size": 32, "queries": 6, "feedforward_size": 64}
ROWS, COLUMNS = 9, 11


@pytest.fixture
def head(head_on):
    """`head(patch)`: upsampling that repeats what it sees, tokens that look at their own place."""

    def build(patch, **options):
        torch.manual_seed(3)
        model = head_on(SetMaps(patch, ROWS, COLUMNS), **options).eval()
        for module in model.modules():
            if isinstance(module, nn.ConvTranspose2d):
                module.weight.data[:] = module.weight.data[..., :1, :1]
        for layer in model.pixel_decoder.layers:
            nn.init.zeros_(layer.attention.offsets.bias)
        kernel = model.pixel_decoder.smooth[0].weight.data
        kernel[..., 0], kernel[..., 2], kernel[..., 0, :], kernel[..., 2, :] = 0, 0, 0, 0
        return model

    return build


def mask_features(model):
    with torch.no_grad():
        return model.pixel_decoder(model.pyramid(model.backbone.feature_maps(None, range(4))))[0]


def change(model, row, column):
    """Return where the features of the masks differ after a change in one patch."""
    torch.manual_seed(4)
    model.backbone.maps = torch.randn(1, 4, ROWS, COLUMNS)
    before = mask_features(model)
    model.backbone.maps[:, :, row, column] += torch.tensor([3.0, -1.0, 2.0, 0.5])
    return (mask_features(model) - before)[0].abs().sum(dim=0)


@pytest.mark.parametrize("place", [(3, 4), (4, 8), (5, 3)])
def test_a_patch_stays_where_it_is(head, place):
    response = change(head(14, encoder_layers=1), *place)
    response = (response - 2 * response.median()).clamp(min=0)  # normalization moves all a little
    assert response.shape == (4 * ROWS, 4 * COLUMNS)
    assert centre_of(response, 4) == pytest.approx(place, abs=0.3)


def test_a_turned_map_is_told_from_the_map(head):
    """Rows are not taken for columns: a change high up stays high up."""
    model = head(16)
    assert centre_of(change(model, 1, 9).square(), 4)[0] < ROWS / 2 - 1
    assert centre_of(change(model, 7, 1).square(), 4)[1] < COLUMNS / 2 - 1


@pytest.mark.parametrize("x", [-1.0, 0.0, 2.0])
@pytest.mark.parametrize("y", [0.0, 1.0])
def test_sampling_looks_at_the_offset_in_cells(x, y):
    """On a map of 4 x 6 cells each token sees the cell that is x to the right and y below it."""
    from nnunet_vit_mask2former.deformable import sampled
    from nnunet_vit_mask2former.positions import centres

    values = torch.arange(1.0, 25.0).view(1, 24, 1, 1)
    offsets = torch.tensor([x, y]).expand(1, 24, 1, 1, 2)
    weights = torch.ones(1, 24, 1, 1)
    seen = sampled(values, (4, 6), centres(4, 6, values), offsets, weights).view(4, 6)
    expected = torch.zeros(8, 12)
    expected[2:6, 3:9] = torch.arange(1.0, 25.0).view(4, 6)  # zeros around
    shifted = expected[2 + int(y) : 6 + int(y), 3 + int(x) : 9 + int(x)]
    torch.testing.assert_close(seen, shifted, atol=1e-4, rtol=0)


@pytest.mark.parametrize("patch", [8, 14, 16])
def test_masks_stand_in_the_image_as_their_features(head_on, patch):
    """Each patch's pixels have the logits of that patch, at every patch size."""
    model = head_on(SetMaps(patch, ROWS, COLUMNS)).eval()
    features = torch.zeros(1, 32, 4 * ROWS, 4 * COLUMNS)
    features[..., 12:16, 20:24] = 1.0  # the patch (3, 5)
    decoded = model.pixel_decoder(model.pyramid(model.backbone.feature_maps(None, range(4))))
    model.pixel_decoder.forward = lambda maps: (features, decoded[1])
    with torch.no_grad():
        logits = model(torch.zeros(1, 3, ROWS * patch, COLUMNS * patch))
    response = (logits - logits[..., :1, :1])[0].abs().sum(dim=0)
    assert response.max() > 1e-3
    assert centre_of(response, patch) == pytest.approx([3, 5], abs=0.02)
