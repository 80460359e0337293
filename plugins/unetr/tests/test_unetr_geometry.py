"""What a patch says stands where the patch is: not shifted, not scaled by 16/14."""

import pytest
import torch
from torch import nn

from nnunet_vit.testing.building import SetMaps
from nnunet_vit.testing.checks.place import beside, centre_of

pytestmark = pytest.mark.unit

ROWS, COLUMNS = 8, 11
UPSAMPLINGS = ["deconvolution", "bilinear"]
FEATURES = torch.tensor([3.0, -1.0, 2.0, 0.5])


@pytest.fixture
def head(unetr_on):
    """`head(patch, upsampling)`: convolutions pass on what they see, without a shift of their own.

    A deconvolution says the same at its four pixels.
    """

    def build(patch, upsampling, deep=False):
        torch.manual_seed(3)
        model = unetr_on(
            SetMaps(patch, ROWS, COLUMNS), deep=deep, hidden_size=32, upsampling=upsampling
        ).eval()
        for module in model.modules():
            if isinstance(module, nn.ConvTranspose2d):
                module.weight.data[:] = module.weight.data[..., :1, :1]
            elif isinstance(module, nn.Conv2d) and module.kernel_size != (1, 1):
                nn.init.zeros_(module.weight)
                nn.init.normal_(module.weight[:, :, 1, 1])
        return model, torch.zeros(1, 3, ROWS * patch, COLUMNS * patch)

    return build


@pytest.mark.parametrize("upsampling", UPSAMPLINGS)
@pytest.mark.parametrize("patch", [8, 14, 16, 32])
@pytest.mark.parametrize("place", [(3, 4), (5, 8), (2, 2)])
def test_a_patch_stays_where_it_is(head, patch, upsampling, place):
    model, images = head(patch, upsampling)
    model.backbone.maps[:, :, place[0], place[1]] = FEATURES
    with torch.no_grad():
        response = beside(model(images))
    assert centre_of(response, patch) == pytest.approx(place, abs=0.1)


@pytest.mark.parametrize("patch", [8, 14, 16])
def test_a_patch_stays_where_it_is_at_every_level(head, patch):
    model, images = head(patch, "deconvolution", deep=True)
    model.backbone.maps[:, :, 3, 7] = FEATURES
    with torch.no_grad():
        levels = model(images)
    for logits in levels:
        assert centre_of(beside(logits), logits.shape[-1] / COLUMNS) == pytest.approx(
            (3, 7), abs=0.1
        )


@pytest.mark.parametrize("upsampling", UPSAMPLINGS)
@pytest.mark.parametrize("patch", [14, 16])
@pytest.mark.parametrize("place", [(50, 70), (23, 101)])
def test_the_image_stays_where_it_is(head, patch, upsampling, place):
    """A bright pixel, with features that say nothing, shows at its place."""
    model, images = head(patch, upsampling)
    images[:, :, place[0], place[1]] = 5
    with torch.no_grad():
        response = beside(model(images))
    assert centre_of(response, 1) == pytest.approx(place, abs=0.1)


@pytest.mark.parametrize("upsampling", UPSAMPLINGS)
@pytest.mark.parametrize("patch", [14, 16])
def test_mirrored_features_give_mirrored_logits(head, patch, upsampling):
    """Nothing on the way up prefers a side, also where 14 leaves a last step below 2."""
    model, images = head(patch, upsampling)
    torch.manual_seed(4)
    images.normal_()
    model.backbone.maps = torch.randn(1, 4, ROWS, COLUMNS)
    with torch.no_grad():
        plain = model(images)
        model.backbone.maps = model.backbone.maps.flip(-1)
        mirrored = model(images.flip(-1))
    assert torch.allclose(mirrored.flip(-1), plain, atol=1e-4)


@pytest.mark.parametrize("upsampling", UPSAMPLINGS)
@pytest.mark.parametrize("patch", [14, 16])
def test_random_convolutions_move_it_by_less_than_half_a_patch(unetr_on, patch, upsampling):
    torch.manual_seed(5)
    model = unetr_on(SetMaps(patch, ROWS, COLUMNS), hidden_size=64, upsampling=upsampling).eval()
    images = torch.zeros(1, 3, ROWS * patch, COLUMNS * patch)
    with torch.no_grad():
        background = model(images)
        model.backbone.maps[:, :, 4, 5] = FEATURES
        response = (model(images) - background)[0].abs().sum(dim=0)
    margin = patch * 3 // 2
    inner = response[margin:-margin, margin:-margin]  # zero padding speaks up along the border
    inner = (inner - inner.median()).clamp(min=0)
    row, column = centre_of(inner, patch)
    assert [row + 1.5, column + 1.5] == pytest.approx([4, 5], abs=0.5)
