"""create_backbone, get_vit_features and the backbone that heads see."""

import pytest
import torch

from nnunet_vit.config.models import ViTModelConfig
from nnunet_vit.errors import ConfigError, ModelError
from nnunet_vit.modeling.backbone import (
    MODEL_CONFIGS,
    ViTBackbone,
    create_backbone,
    get_vit_features,
    pretrained_weights,
)
from nnunet_vit.modeling.loading import coverage_of, load_backbone

pytestmark = pytest.mark.unit


@pytest.fixture
def images():
    torch.manual_seed(1)
    return torch.randn(2, 3, 32, 64)


def backbone_from(name, size, file, image_size, channels, **more):
    """Load a backbone as a run does whose section `model` says so."""
    model = ViTModelConfig(backbone=name, backbone_size=size, checkpoint_path=str(file), **more)
    return load_backbone(model, image_size, channels)


def as_timm(model, images, depth):
    return model.forward_intermediates(
        images, indices=[depth], norm=True, output_fmt="NCHW", intermediates_only=True
    )[0]


def same(maps, expected):
    return len(maps) == len(expected) and all(map(torch.equal, maps, expected))


def test_all_families_are_in_the_table():
    from nnunet_vit.backbones import own_families

    assert set(MODEL_CONFIGS) == set(own_families())
    sizes = ("small", "small_plus", "base", "large", "huge_plus", "7b")
    assert MODEL_CONFIGS["dinov3"] == {
        "timm_name": "vit_{size}_patch16_dinov3.lvd1689m",
        "timm_names": {size: f"vit_{size}_patch16_dinov3.lvd1689m" for size in sizes},
        "patch_size": 16,
        "patch_sizes": dict.fromkeys(sizes, 16),
        "sizes": sizes,
        "pretrained": True,
    }


@pytest.mark.parametrize(
    ("name", "timm_name", "patch", "pretrained"),
    [
        ("dinov3", "vit_large_patch16_dinov3.lvd1689m", 16, True),
        ("dinov2", "vit_large_patch14_dinov2.lvd142m", 14, True),
        ("retfound", "vit_large_patch16_224.mae", 16, False),
        ("visionfm", "vit_base_patch16_224.mae", 16, False),
    ],
)
def test_the_table_reads_as_the_first_plan_writes_it(name, timm_name, patch, pretrained):
    entry = MODEL_CONFIGS[name]
    assert entry["timm_name"].format(size="large") == timm_name
    assert (entry["patch_size"], entry["pretrained"]) == (patch, pretrained)


@pytest.mark.parametrize(
    ("name", "size", "image_size", "patch", "timm_name"),
    [
        ("dinov2", "small", (28, 56), 14, "vit_small_patch14_dinov2.lvd142m"),
        ("dinov3", "small", (48, 32), 16, "vit_small_patch16_dinov3.lvd1689m"),
        ("dinov3", None, (48, 32), 16, "vit_large_patch16_dinov3.lvd1689m"),
        ("dinov2", "small_reg4", (28, 56), 14, "vit_small_patch14_reg4_dinov2.lvd142m"),
        ("retfound", None, (48, 32), 16, "vit_large_patch16_224.mae"),
        ("retfound", "dinov2_meh", (28, 56), 14, "vit_large_patch14_dinov2.lvd142m"),
        ("visionfm", "oct", (48, 32), 16, "vit_base_patch16_224.mae"),
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
    assert str(caught.value).startswith(
        "The published weights test_vit.r160_in1k are not on this machine"
    )
    with pretrained_weights(wanted=False):
        assert create_backbone("timm:test_vit", None, checkpoint)[1] == 16


@pytest.mark.parametrize(
    ("name", "size", "where"),
    [
        (
            "retfound",
            None,
            "RETFound_mae_natureCFP, fetched by hand from YukunZhou on the Hugging Face hub after "
            "accepting the terms (https://github.com/rmaphoh/RETFound)",
        ),
        (
            "visionfm",
            "oct",
            "OCT, fetched by hand from the table in https://github.com/ABILab-CUHK/VisionFM",
        ),
    ],
)
def test_weights_that_are_fetched_by_hand_are_not_replaced_by_others(name, size, where):
    """timm has ImageNet weights under the names of these models."""
    with torch.device("meta"), pytest.raises(ModelError) as caught:
        create_backbone(name, size)
    assert str(caught.value) == (
        f"The weights of {name} are not fetched: {where}. Fix: write the file's path in "
        "model.checkpoint_path (or model.pretrained: false for random weights)."
    )


def test_a_patch_on_request_resizes_the_weights(vit, weights_file):
    trained = vit("vit_tiny_patch16_224", (224, 224))
    file = str(weights_file(trained.state_dict()))
    loaded = backbone_from("timm:vit_tiny_patch16_224", None, file, (64, 40), 3, vit_patch_size=8)
    coverage = coverage_of(loaded.model)
    assert (loaded.patch_size, coverage.share) == (8, 1.0)
    assert set(coverage.resized) == {"patch_embed.proj.weight", "pos_embed"}
    maps = get_vit_features(loaded.model, torch.randn(1, 3, 64, 40), [-1])
    assert [level.shape for level in maps] == [(1, 192, 8, 5)]
    kept = "blocks.3.mlp.fc1.weight"
    assert torch.equal(loaded.model.state_dict()[kept], trained.state_dict()[kept])


def test_half_a_file_needs_to_be_expected(vit, weights_file):
    trained = vit(seed=5).state_dict()
    half = {key: value for key, value in trained.items() if not key.startswith("blocks.5.")}
    file = str(weights_file(half))
    with pytest.raises(ModelError):
        backbone_from("timm:test_vit", None, file, (32, 64), 3)
    loaded = backbone_from("timm:test_vit", None, file, (32, 64), 3, expected_coverage=0.5)
    assert 0.5 < coverage_of(loaded.model).share < 1
    assert ViTBackbone(loaded.model).coverage is coverage_of(loaded.model)


@pytest.mark.parametrize("name", ["xcit_nano_12_p16_224", "naflexvit_base_patch16_gap"])
def test_a_stem_that_cannot_be_adapted_to_other_channels(name, tmp_path):
    file = tmp_path / "any.pth"
    with torch.device("meta"), pytest.raises(ModelError) as caught:
        backbone_from(f"timm:{name}", None, str(file), (32, 32), 2)
    assert str(caught.value) == (
        f"The weights of {name} were trained on 3 channels and cannot be adapted to 2. Fix: images "
        "of 3 channels, or of 1 (a run repeats it), another backbone, or model.pretrained: false."
    )
    with pretrained_weights(wanted=False), torch.device("meta"):
        assert backbone_from(f"timm:{name}", None, str(file), (32, 32), 2).patch_size == 16


def test_weights_of_a_best_effort_class(weights_file):
    import timm

    trained = timm.create_model("xcit_nano_12_p16_224", num_classes=10).state_dict()
    file = str(weights_file(trained))
    loaded = backbone_from("timm:xcit_nano_12_p16_224", None, file, (32, 48), 3)
    assert coverage_of(loaded.model).share == 1.0
    maps = get_vit_features(loaded.model.eval(), torch.randn(1, 3, 32, 48), 2)
    assert [level.shape for level in maps] == [(1, 128, 2, 3)] * 2
    assert torch.equal(
        loaded.model.state_dict()["blocks.3.attn.qkv.weight"], trained["blocks.3.attn.qkv.weight"]
    )


def test_random_weights_have_no_coverage():
    with pretrained_weights(wanted=False):
        assert coverage_of(backbone_from("timm:test_vit", None, "", (32, 64), 3).model) is None


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
