"""What a patch says stands where the patch is: not shifted, not scaled by 16/14."""

import pytest
import torch
from torch import nn

from nnunet_vit.testing.building import SetMaps
from nnunet_vit.testing.checks.place import beside, centre_of

pytestmark = pytest.mark.unit

ROWS, COLUMNS = 8, 11
VARIANTS = [{"variant": "plain"}, {"variant": "progressive", "detail_channels": 0}, {}]
FEATURES = torch.tensor([3.0, -1.0, 2.0, 0.5])


@pytest.fixture
def head(segformer_on):
    """`head(patch, options)`: convolutions that pass on what they see, without a shift."""

    def build(patch, options):
        torch.manual_seed(3)
        model = segformer_on(SetMaps(patch, ROWS, COLUMNS), hidden_size=8, **options).eval()
        for module in model.modules():
            if isinstance(module, nn.Conv2d) and module.kernel_size != (1, 1):
                centre = module.kernel_size[0] // 2
                nn.init.zeros_(module.weight)
                nn.init.normal_(module.weight[:, :, centre, centre])
        return model, torch.zeros(1, 3, ROWS * patch, COLUMNS * patch)

    return build


@pytest.mark.parametrize("options", VARIANTS)
@pytest.mark.parametrize("patch", [8, 14, 16])
@pytest.mark.parametrize("place", [(3, 4), (5, 8), (2, 2), (5, 2)])
def test_a_patch_stays_where_it_is(head, patch, options, place):
    model, images = head(patch, options)
    model.backbone.maps[:, :, place[0], place[1]] = FEATURES
    with torch.no_grad():
        response = beside(model(images))
    assert centre_of(response, patch) == pytest.approx(place, abs=0.1)


@pytest.mark.parametrize("options", VARIANTS)
@pytest.mark.parametrize("patch", [14, 16])
@pytest.mark.parametrize("column", [3, 6, 9])
def test_an_edge_stays_where_it_is(head, patch, options, column):
    model, images = head(patch, options)
    model.backbone.maps[..., :column] = FEATURES[None, :, None, None]
    model.backbone.maps[..., column:] = -FEATURES[None, :, None, None]
    with torch.no_grad():
        line = model(images)[0, 0, ROWS * patch // 2]
    left, right = line[patch // 2], line[-patch // 2]
    passed = ((line - left).abs() > (line - right).abs()).nonzero()[0].item()
    # with detail, random mixing bends the slope between two patches, but not beyond them
    assert abs(passed - column * patch) < (patch / 2 if options else patch)


@pytest.mark.parametrize("patch", [14, 16])
@pytest.mark.parametrize("place", [(50, 70), (23, 101), (64, 64)])
def test_the_images_own_detail_stays_where_it_is(head, patch, place):
    """A bright pixel, with features that say nothing, shows within half a patch of its place."""
    model, images = head(patch, {})
    images[:, :, place[0], place[1]] = 5
    with torch.no_grad():
        response = beside(model(images))
    assert centre_of(response, 1) == pytest.approx(place, abs=patch / 2)


@pytest.mark.parametrize("options", VARIANTS)
@pytest.mark.parametrize("patch", [14, 16])
def test_mirrored_features_give_mirrored_logits(head, patch, options):
    """Nothing on the way up prefers a side, also where 14 leaves a last step below 2."""
    model, images = head(patch, options)
    torch.manual_seed(4)
    images.normal_()
    model.backbone.maps = torch.randn(1, 4, ROWS, COLUMNS)
    with torch.no_grad():
        plain = model(images)
        model.backbone.maps = model.backbone.maps.flip(-1)
        mirrored = model(images.flip(-1))
    assert torch.allclose(mirrored.flip(-1), plain, atol=1e-4)


@pytest.mark.parametrize("options", VARIANTS)
def test_random_convolutions_move_it_by_less_than_half_a_patch(segformer_on, options):
    torch.manual_seed(5)
    model = segformer_on(SetMaps(16, ROWS, COLUMNS), hidden_size=64, **options).eval()
    images = torch.zeros(1, 3, ROWS * 16, COLUMNS * 16)
    with torch.no_grad():
        background = model(images)
        model.backbone.maps[:, :, 4, 5] = FEATURES
        response = (model(images) - background)[0].abs().sum(dim=0)
    inner = response[24:-24, 24:-24]  # zero padding speaks up along the border
    inner = (inner - inner.median()).clamp(min=0)
    row, column = centre_of(inner, 16)
    assert [row + 1.5, column + 1.5] == pytest.approx([4, 5], abs=0.5)
