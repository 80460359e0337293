"""What a patch or a pixel says stands where it is: through levels, exchange and decoder."""

import pytest
import torch
from torch import nn

from nnunet_vit.testing.building import SetMaps
from nnunet_vit.testing.checks.place import beside, centre_of

pytestmark = pytest.mark.unit

ROWS, COLUMNS = 10, 14
FEATURES = torch.tensor([3.0, -1.0, 2.0, 0.5])


@pytest.fixture
def head(dino_unet_on):
    """`head(patch)`: convolutions pass on what they see, without a shift of their own."""

    def build(patch, rows=ROWS, columns=COLUMNS, deep=False, still=True):
        torch.manual_seed(3)
        model = dino_unet_on(SetMaps(patch, rows, columns), deep=deep).eval()
        for module in model.modules():
            if isinstance(module, nn.Conv2d) and module.kernel_size != (1, 1):
                nn.init.zeros_(module.weight)
                nn.init.normal_(module.weight[:, :, 1, 1])
        for extractor in model.extractors if still else []:
            nn.init.zeros_(extractor.attention.query.weight)
            nn.init.zeros_(extractor.attention.query.bias)
        return model, torch.zeros(1, 3, rows * patch, columns * patch)

    return build


@pytest.mark.parametrize("patch", [8, 14, 16, 32])
@pytest.mark.parametrize("place", [(2, 4), (4, 2), (4, 8)])
def test_a_block_of_patches_stays_where_it_is_at_every_level(head, patch, place):
    """Two by two, at even places: a cell of the coarsest level."""
    model, images = head(patch, deep=True)
    row, column = place
    model.backbone.maps[:, :, row : row + 2, column : column + 2] = FEATURES[:, None, None]
    with torch.no_grad():
        levels = model(images)
    for logits in levels:
        centre = centre_of(beside(logits), logits.shape[-1] / COLUMNS)
        assert centre == pytest.approx([row + 0.5, column + 0.5], abs=0.1)


@pytest.mark.parametrize("patch", [8, 14, 16])
@pytest.mark.parametrize("place", [(3, 4), (5, 8), (2, 2), (5, 7)])
def test_a_patch_stays_where_it_is_on_odd_grids(head, patch, place):
    model, images = head(patch, 9, 11)
    model.backbone.maps[:, :, place[0], place[1]] = FEATURES
    with torch.no_grad():
        response = beside(model(images))
    assert centre_of(response, patch) == pytest.approx(place, abs=0.4)


@pytest.mark.parametrize("patch", [8, 14, 16])
@pytest.mark.parametrize("place", [(50, 70), (23, 41)])
def test_the_images_own_detail_stays_where_it_is(head, patch, place):
    """A bright pixel, with features that say nothing; the coarsest level says it over 2 patches."""
    model, images = head(patch)
    images[:, :, place[0], place[1]] = 5
    with torch.no_grad():
        response = beside(model(images))
    assert centre_of(response, 1) == pytest.approx(place, abs=patch / 2)
    peak = divmod(int(response.argmax()), response.shape[1])
    assert peak == pytest.approx(place, abs=1)


@pytest.mark.parametrize("patch", [8, 14, 16])
@pytest.mark.parametrize("columns", [7, 12])
def test_mirrored_images_and_features_give_mirrored_logits(head, patch, columns):
    """Nothing prefers a side, attention included."""
    model, images = head(patch, 5, columns, still=False)
    torch.manual_seed(4)
    images.normal_()
    model.backbone.maps = torch.randn(1, 4, 5, columns)
    with torch.no_grad():
        plain = model(images)
        model.backbone.maps = model.backbone.maps.flip(-1)
        mirrored = model(images.flip(-1))
    assert torch.allclose(mirrored.flip(-1), plain, atol=1e-4)
    assert plain.std() > 1e-3


@pytest.mark.parametrize("patch", [14, 16])
def test_random_weights_move_it_by_less_than_half_a_patch(dino_unet_on, patch):
    torch.manual_seed(5)
    model = dino_unet_on(SetMaps(patch, ROWS, COLUMNS), hidden_size=64).eval()
    images = torch.zeros(1, 3, ROWS * patch, COLUMNS * patch)
    with torch.no_grad():
        background = model(images)
        model.backbone.maps[:, :, 4, 5] = FEATURES
        response = (model(images) - background)[0].abs().sum(dim=0)
    margin = patch * 3 // 2
    inner = response[margin:-margin, margin:-margin]  # zero padding speaks up along the border
    inner = (inner - inner.median()).clamp(min=0)
    row, column = centre_of(inner, patch)
    assert [row + margin / patch, column + margin / patch] == pytest.approx([4, 5], abs=0.5)
