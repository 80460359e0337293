"""create_backbone, get_vit_features and the backbone that heads see."""

import pytest
import torch

from nnunet_vit.errors import ConfigError, ModelError
from nnunet_vit.modeling.backbone import (
    MODEL_CONFIGS,
    ViTBackbone,
    bfloat16_where_possible,
    create_backbone,
    get_vit_features,
    pretrained_weights,
)

pytestmark = pytest.mark.unit


@pytest.fixture
def images():
    torch.manual_seed(1)
    return torch.randn(2, 3, 32, 64)


def as_timm(model, images, depth):
    return model.forward_intermediates(
        images, indices=[depth], norm=True, output_fmt="NCHW", intermediates_only=True
    )[0]


def same(maps, expected):
    return len(maps) == len(expected) and all(map(torch.equal, maps, expected))


def test_all_families_are_in_the_table():
    from nnunet_vit.backbones import own_families

    assert set(MODEL_CONFIGS) == set(own_families())
    assert MODEL_CONFIGS["dinov3"] == {
        "timm_name": "vit_{size}_patch16_dinov3.lvd1689m",
        "patch_size": 16,
        "sizes": ("small", "small_plus", "base", "large", "huge_plus", "7b"),
        "pretrained": True,
    }


@pytest.mark.parametrize(
    ("name", "size", "image_size", "patch", "timm_name"),
    [
        ("dinov2", "small", (28, 56), 14, "vit_small_patch14_dinov2.lvd142m"),
        ("dinov3", "small", (48, 32), 16, "vit_small_patch16_dinov3.lvd1689m"),
        ("dinov3", None, (48, 32), 16, "vit_large_patch16_dinov3.lvd1689m"),
        ("timm:test_vit", None, (48, 32), 16, "test_vit"),
        ("timm:test_vit", "large", None, 16, "test_vit"),
    ],
)
def test_what_is_created(name, size, image_size, patch, timm_name):
    with pretrained_weights(wanted=False), torch.device("meta"):
        model, edge, full_name = create_backbone(name, size, None, image_size, in_channels=2)
    assert (edge, full_name) == (patch, timm_name)
    assert model.patch_embed.proj.in_channels == 2
    backbone = ViTBackbone(model)
    assert (backbone.patch_size, backbone.embed_dim) == (patch, model.embed_dim)
    assert backbone.depth == len(model.blocks)


@pytest.mark.parametrize("checkpoint", ["", None])
def test_weights_are_wanted_unless_somebody_says_otherwise(checkpoint, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError) as caught:
        create_backbone("timm:test_vit", None, checkpoint)
    assert str(caught.value).startswith("The published weights test_vit are not on this machine")
    with pretrained_weights(wanted=False):
        assert create_backbone("timm:test_vit", None, checkpoint)[1] == 16


def test_a_weights_file_is_loaded(vit, weights_file):
    trained = vit(seed=5)
    file = weights_file(trained.state_dict())
    model, *_ = create_backbone("timm:test_vit", None, str(file), (32, 64))
    assert all(
        torch.equal(value, trained.state_dict()[key]) for key, value in model.state_dict().items()
    )


def test_what_is_wanted_is_reset_after_an_error():
    with pytest.raises(ConfigError), pretrained_weights(wanted=False):
        create_backbone("timm:nonsense")
    with pytest.raises(ModelError):
        create_backbone("timm:test_vit", checkpoint_path="surely/not/there.pth")


def test_all_maps_and_the_last_ones(vit, images):
    model = vit().eval()
    every = get_vit_features(model, images)
    assert same(every, [as_timm(model, images, depth) for depth in range(6)])
    assert same(get_vit_features(model, images, 2), every[-2:])
    assert same(get_vit_features(model, images, 6), every)


@pytest.mark.parametrize(
    "indices", [[5], [-1], [0, 5], [5, 0], [3, -1, 1], [-6, -2], (2,), [4, 4, -2], range(2, 5)]
)
def test_maps_come_in_the_order_asked_for(vit, images, indices):
    model = vit().eval()
    every = get_vit_features(model, images)
    maps = get_vit_features(model, images, indices)
    assert same(maps, [every[index] for index in indices])


@pytest.mark.parametrize(
    ("indices", "asked"),
    [
        ([6], "[6]"),
        ([-7], "[-7]"),
        ([0, 11], "[0, 11]"),
        (7, "[-7, -6, -5, -4, -3, -2, -1]"),
        (0, "[]"),
        ([], "[]"),
    ],
)
def test_blocks_that_are_not_there(vit, images, indices, asked):
    with pytest.raises(ValueError) as caught:
        get_vit_features(vit(), images, indices)
    assert str(caught.value) == f"blocks {asked} asked for; there are 0 to 5"


@pytest.mark.parametrize("size", [(31, 64), (32, 40), (8, 8)])
def test_images_that_are_no_multiple_of_the_patch(vit, size):
    with pytest.raises(ValueError) as caught:
        get_vit_features(vit(size=None), torch.zeros(1, 3, *size))
    assert str(caught.value) == f"images of {size} pixels: no multiple of the patch, 16"


@pytest.mark.parametrize(
    ("name", "size", "patch", "width"),
    [
        ("test_vit", (32, 80), 16, 64),
        ("vit_small_patch16_dinov3", (80, 32), 16, 384),
        ("vit_small_patch14_dinov2", (28, 70), 14, 384),
        ("vit_small_patch14_reg4_dinov2", (70, 28), 14, 384),
    ],
)
def test_shapes_at_sizes_that_are_not_square(vit, name, size, patch, width):
    backbone = ViTBackbone(vit(name, size).eval())
    for batch in (1, 3):
        with torch.no_grad():
            maps = backbone.feature_maps(torch.randn(batch, 3, *size), [0, -1])
        shape = (batch, width, size[0] // patch, size[1] // patch)
        assert [level.shape for level in maps] == [shape, shape]


def test_a_map_stands_where_its_patch_is(vit):
    """Rows are rows: a patch of another content changes its own place in the first map most."""
    backbone = ViTBackbone(vit(size=(48, 80)).eval())
    images = torch.zeros(1, 3, 48, 80)
    changed = images.clone()
    changed[:, :, 16:32, 48:64] = 3
    first, second = (backbone.feature_maps(batch, [0])[0] for batch in (images, changed))
    difference = (first - second).abs().sum(dim=1)[0]
    assert difference.argmax().item() == 1 * 5 + 3


def test_the_backbone_itself_returns_the_last_map(vit, images):
    backbone = ViTBackbone(vit().eval())
    assert torch.equal(backbone(images), backbone.feature_maps(images, [-1])[0])


def test_the_precision_on_a_cpu_is_full():
    with bfloat16_where_possible(torch.device("cpu")):
        product = torch.ones(2, 2) @ torch.ones(2, 2)
    assert product.dtype == torch.float32


def test_an_outer_half_precision_is_closed():
    with torch.autocast("cpu", dtype=torch.bfloat16), bfloat16_where_possible(torch.device("cpu")):
        product = torch.ones(2, 2) @ torch.ones(2, 2)
    assert product.dtype == torch.float32
