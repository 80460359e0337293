"""What a patch says stands where the patch is, through four strides and pooling."""

import pytest
import torch
from torch import nn

from nnunet_vit.testing.building import SetMaps
from nnunet_vit.testing.checks.place import beside, centre_of

pytestmark = pytest.mark.unit

FEATURES = torch.tensor([3.0, -1.0, 2.0, 0.5])
KERNELS = (nn.Conv2d, nn.ConvTranspose2d)


@pytest.fixture
def head(upernet_on):
    """`head(patch, rows, columns)`: convolutions that pass on what they see, without a shift."""

    def build(patch, rows, columns, pooling=True):
        torch.manual_seed(3)
        model = upernet_on(SetMaps(patch, rows, columns), hidden_size=16).eval()
        for module in model.modules():
            if isinstance(module, KERNELS) and module.kernel_size != (1, 1):
                same = torch.randn(module.weight.shape[:2])[:, :, None, None]
                centre = module.kernel_size[0] // 2
                nn.init.zeros_(module.weight)
                if isinstance(module, nn.ConvTranspose2d):
                    module.weight.data.add_(same)
                else:
                    module.weight.data[:, :, centre : centre + 1, centre : centre + 1] = same
        if not pooling:  # its cells are as large as the image
            model.decoder.pooling.fuse[0].weight.data[:, model.backbone.embed_dim :] = 0
        return model, torch.zeros(1, 3, rows * patch, columns * patch)

    return build


@pytest.mark.parametrize("patch", [8, 14, 16])
@pytest.mark.parametrize("place", [(2, 4), (4, 2), (4, 8)])
def test_a_block_of_patches_stays_where_it_is(head, patch, place):
    """Two by two, at even places: a cell of the coarsest level."""
    model, images = head(patch, 10, 14, pooling=False)
    row, column = place
    model.backbone.maps[:, :, row : row + 2, column : column + 2] = FEATURES[:, None, None]
    with torch.no_grad():
        response = beside(model(images))
    assert centre_of(response, patch) == pytest.approx([row + 0.5, column + 0.5], abs=0.1)


@pytest.mark.parametrize("patch", [8, 14, 16])
@pytest.mark.parametrize("place", [(3, 4), (5, 8), (2, 2), (5, 7)])
def test_a_patch_stays_where_it_is_on_odd_grids(head, patch, place):
    model, images = head(patch, 9, 11, pooling=False)
    model.backbone.maps[:, :, place[0], place[1]] = FEATURES
    with torch.no_grad():
        response = beside(model(images))
    assert centre_of(response, patch) == pytest.approx(place, abs=0.4)


@pytest.mark.parametrize("patch", [14, 16])
@pytest.mark.parametrize("column", [3, 6, 9])
def test_an_edge_stays_where_it_is(head, patch, column):
    model, images = head(patch, 8, 12, pooling=False)
    model.backbone.maps[..., :column] = FEATURES[None, :, None, None]
    model.backbone.maps[..., column:] = -FEATURES[None, :, None, None]
    with torch.no_grad():
        slope = model(images)[0, 0, 4 * patch].diff().abs()
    middle = (slope * torch.arange(1, len(slope) + 1)).sum() / slope.sum()
    assert middle.item() == pytest.approx(column * patch, abs=patch / 2)


@pytest.mark.parametrize("patch", [14, 16])
@pytest.mark.parametrize("columns", [7, 12])
def test_mirrored_features_give_mirrored_logits(head, patch, columns):
    """Nothing prefers a side, pooling over cells that overlap included."""
    model, images = head(patch, 5, columns)
    torch.manual_seed(4)
    model.backbone.maps = torch.randn(1, 4, 5, columns)
    with torch.no_grad():
        plain = model(images)
        model.backbone.maps = model.backbone.maps.flip(-1)
        mirrored = model(images)
    assert torch.allclose(mirrored.flip(-1), plain, atol=1e-4)
    assert plain.std() > 1e-3


@pytest.mark.parametrize("patch", [14, 16])
def test_random_convolutions_move_it_by_less_than_half_a_patch(upernet_on, patch):
    torch.manual_seed(5)
    model = upernet_on(SetMaps(patch, 8, 12), hidden_size=64).eval()
    images = torch.zeros(1, 3, 8 * patch, 12 * patch)
    with torch.no_grad():
        background = model(images)
        model.backbone.maps[:, :, 4, 5] = FEATURES
        response = (model(images) - background)[0].abs().sum(dim=0)
    margin = 3 * patch // 2
    inner = response[margin:-margin, margin:-margin]  # zero padding speaks up along the border
    inner = (inner - inner.median()).clamp(min=0)
    row, column = centre_of(inner, patch)
    assert [row + margin / patch, column + margin / patch] == pytest.approx([4, 5], abs=0.5)


@pytest.mark.parametrize("size", [(1, 1), (2, 5), (7, 6), (13, 12)])
@pytest.mark.parametrize("cells", [(1, 1), (2, 3), (6, 6), (7, 1)])
def test_means_over_a_grid_are_those_of_adaptive_pooling(size, cells):
    from nnunet_vit.blocks.pyramid import grid_means

    features = torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(1))
    expected = nn.functional.adaptive_avg_pool2d(features, cells)
    torch.testing.assert_close(grid_means(features, *cells), expected)
