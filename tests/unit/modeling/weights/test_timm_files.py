"""Weights files that fit: exact, adapted to channels and to the image's size."""

from collections import OrderedDict

import pytest
import torch
from timm.layers import resample_abs_pos_embed

from nnunet_vit.modeling.weights import load_backbone_weights
from nnunet_vit.modeling.weights.shapes.grids import FileGrid

pytestmark = pytest.mark.unit

STEM, POSITIONS = "patch_embed.proj.weight", "pos_embed"


@pytest.fixture
def trained(vit):
    """Weights as they are published: for square images of 160 pixels."""
    return vit(size=None, seed=7).state_dict()


def assert_loaded(model, tensors, *but):
    own = model.state_dict()
    different = {name for name, value in tensors.items() if not torch.equal(own[name], value)}
    assert different == set(but)
    assert set(own) == set(tensors)


@pytest.mark.parametrize("name", ["weights.safetensors", "weights.pth", "weights.bin"])
@pytest.mark.parametrize("vit_name", ["test_vit", "test_vit2", "test_vit4"])
def test_timms_own_weights_come_back_exactly(vit, weights_file, name, vit_name):
    tensors = vit(vit_name, None, seed=7).state_dict()
    model = vit(vit_name, None)
    load_backbone_weights(model, weights_file(tensors, name))
    assert_loaded(model, tensors)


def test_the_features_are_those_of_the_trained_model(vit, weights_file, trained):
    model, images = vit(size=None).eval(), torch.randn(1, 3, 160, 160)
    load_backbone_weights(model, weights_file(trained))
    original = vit(size=None, seed=7).eval()
    with torch.no_grad():
        assert torch.equal(model.forward_features(images), original.forward_features(images))


@pytest.mark.parametrize(
    "wrap",
    [
        lambda tensors: {"model": tensors},
        lambda tensors: {"state_dict": OrderedDict(tensors), "epoch": 3},
        lambda tensors: {"state_dict": {"model": tensors}},
        lambda tensors: {"model": {**tensors, "mask_token": torch.zeros(1, 1, 64)}},
    ],
)
def test_files_that_wrap_the_tensors(vit, weights_file, trained, wrap):
    model = vit(size=None)
    load_backbone_weights(model, weights_file(wrap(trained), "weights.pth"))
    assert_loaded(model, trained)


def test_what_a_pretraining_leaves_over_is_harmless(vit, weights_file, trained):
    extra = {
        "head.weight": torch.zeros(10, 64),
        "head.bias": torch.zeros(10),
        "fc_norm.weight": torch.zeros(64),
        "decoder_blocks.0.norm1.weight": torch.zeros(32),
        "decoder_pos_embed": torch.zeros(1, 101, 32),
        "mask_token": torch.zeros(1, 1, 64),
    }
    model = vit(size=None)
    load_backbone_weights(model, weights_file({**trained, **extra}))
    assert_loaded(model, trained)


def test_half_precision_becomes_full(vit, weights_file, trained):
    model = vit(size=None)
    load_backbone_weights(model, weights_file({n: value.half() for n, value in trained.items()}))
    assert_loaded(model, {name: value.half().float() for name, value in trained.items()})


def test_one_channel_gets_the_sum_of_the_stem(vit, weights_file, trained):
    """A grey image then answers as the same image three times in colour."""
    model = vit(size=None, channels=1).eval()
    load_backbone_weights(model, weights_file(trained))
    assert_loaded(model, trained, STEM)
    assert torch.allclose(model.state_dict()[STEM], trained[STEM].sum(dim=1, keepdim=True))
    original = vit(size=None, seed=7).eval()
    grey = torch.randn(2, 1, 160, 160)
    with torch.no_grad():
        expected = original.forward_features(grey.expand(-1, 3, -1, -1))
        assert torch.allclose(model.forward_features(grey), expected, atol=1e-4)


def test_five_channels_repeat_the_stem(vit, weights_file, trained):
    model = vit(size=None, channels=5)
    load_backbone_weights(model, weights_file(trained))
    assert_loaded(model, trained, STEM)
    expected = trained[STEM][:, [0, 1, 2, 0, 1]] * 3 / 5
    assert torch.allclose(model.state_dict()[STEM], expected)


@pytest.mark.parametrize("channels", [3, 5])
def test_one_channel_is_shared_out(vit, weights_file, channels):
    """The same image in every channel then answers as it did in one."""
    tensors = vit(size=None, channels=1, seed=7).state_dict()
    model = vit(size=None, channels=channels).eval()
    load_backbone_weights(model, weights_file(tensors))
    assert_loaded(model, tensors, STEM)
    stem = model.state_dict()[STEM]
    assert torch.equal(stem, tensors[STEM].expand(-1, channels, -1, -1) / channels)
    original = vit(size=None, channels=1, seed=7).eval()
    grey = torch.randn(2, 1, 160, 160)
    with torch.no_grad():
        answer = model.forward_features(grey.expand(-1, channels, -1, -1))
        assert torch.allclose(answer, original.forward_features(grey), atol=1e-4)


def test_a_file_with_the_same_other_channels(vit, weights_file):
    tensors = vit(size=None, channels=5, seed=7).state_dict()
    model = vit(size=None, channels=5)
    load_backbone_weights(model, weights_file(tensors))
    assert_loaded(model, tensors)


def resized(positions, grid, prefix=1):
    edge = round((positions.shape[1] - prefix) ** 0.5)
    return resample_abs_pos_embed(
        positions, new_size=list(grid), old_size=[edge, edge], num_prefix_tokens=prefix
    )


@pytest.mark.parametrize("grid", [(2, 4), (10, 12), (7, 3), (20, 5), (5, 20), (25, 4)])
def test_positions_follow_the_size_and_the_aspect(vit, weights_file, trained, grid):
    """20 x 5 patches are as many as 10 x 10: there timm alone would load them without a word."""
    model = vit(size=(grid[0] * 16, grid[1] * 16))
    load_backbone_weights(model, weights_file(trained), grid=FileGrid(stated=(10, 10)))
    assert_loaded(model, trained, POSITIONS)
    expected = resized(trained[POSITIONS], grid)
    assert torch.allclose(model.state_dict()[POSITIONS], expected, atol=1e-6)


def test_equal_counts_of_14_x_14_and_28_x_7(vit, weights_file):
    tensors = vit(size=(224, 224), seed=7).state_dict()
    model = vit(size=(448, 112))
    load_backbone_weights(model, weights_file(tensors), grid=FileGrid(stated=(14, 14)))
    expected = resized(tensors[POSITIONS], (28, 7))
    assert expected.shape == tensors[POSITIONS].shape
    assert not torch.allclose(expected, tensors[POSITIONS], atol=1e-3)
    assert torch.allclose(model.state_dict()[POSITIONS], expected, atol=1e-6)
    coverage = load_backbone_weights(model, weights_file(tensors))  # the run's own grid, and said
    assert torch.equal(model.state_dict()[POSITIONS], tensors[POSITIONS])
    assert "read as 28 x 7 patches, the run's own grid" in coverage.summary()


def test_a_ramp_stays_a_ramp_along_its_axis(vit, weights_file, trained):
    """Positions that grow from top to bottom do so after the resize, and only so."""
    ramp = torch.arange(1.0, 11.0)[:, None].expand(10, 10).reshape(1, 100, 1).expand(-1, -1, 64)
    positions = torch.cat([trained[POSITIONS][:, :1], ramp], dim=1)
    model = vit(size=(80, 320))
    file = weights_file({**trained, POSITIONS: positions})
    load_backbone_weights(model, file, grid=FileGrid(stated=(10, 10)))
    grid = model.state_dict()[POSITIONS][0, 1:, 0].reshape(5, 20)
    assert (grid.diff(dim=0) > 1.5).all()
    assert grid.diff(dim=1).abs().max() < 1e-3
    assert torch.equal(model.state_dict()[POSITIONS][:, 0], positions[:, 0])


def as_meta(tensors, bias):
    """Rename timm's DINOv3 to the names of the files that its makers publish."""
    names = {"reg_token": "storage_tokens", "gamma_1": "ls1.gamma", "gamma_2": "ls2.gamma"}
    renamed = {"mask_token": torch.zeros(1, 1, 384), "rope_embed.periods": torch.ones(16)}
    for name, value in tensors.items():
        for ours, theirs in names.items():
            name = name.replace(ours, theirs)
        renamed[name] = value
        if name.endswith("qkv.weight"):
            renamed[name.replace("weight", "bias")] = torch.full((3 * 384,), bias)
            mask = torch.ones(3, 384)
            mask[1] = 0  # of the keys
            renamed[name.replace("weight", "bias_mask")] = mask.flatten()
    return renamed


def test_dinov3_in_its_makers_naming(vit, weights_file, capsys):
    name, size = "vit_small_patch16_dinov3", (32, 64)
    tensors = vit(name, size, seed=7, depth=1).state_dict()
    model = vit(name, size, depth=1)
    load_backbone_weights(model, weights_file(as_meta(tensors, bias=0.0), "dinov3.pth"))
    assert_loaded(model, tensors)
    assert capsys.readouterr().out == ""


def test_a_bias_that_the_model_cannot_hold_is_refused(vit, weights_file):
    from nnunet_vit.errors import ModelError

    name, size = "vit_small_patch16_dinov3", (32, 64)
    tensors = as_meta(vit(name, size, seed=7, depth=1).state_dict(), bias=0.5)
    model, file = vit(name, size, depth=1), weights_file(tensors, "dinov3.pth")
    before = {key: value.clone() for key, value in model.state_dict().items()}
    with pytest.raises(ModelError) as caught:
        load_backbone_weights(model, file)
    assert str(caught.value) == (
        f"{file}: blocks.0.attn.qkv.bias is not zero, and this backbone has no such bias. "
        "Fix: model.backbone: timm:<name>_qkvb, timm's variant with the bias."
    )
    assert_loaded(model, before)


def test_the_variant_with_the_bias_takes_it(vit, weights_file):
    name, size = "vit_small_patch16_dinov3_qkvb", (32, 64)
    plain = vit("vit_small_patch16_dinov3", size, seed=7, depth=1).state_dict()
    model = vit(name, size, depth=1)
    load_backbone_weights(model, weights_file(as_meta(plain, bias=0.5), "dinov3.pth"))
    own = model.state_dict()
    assert all(torch.equal(own[key], value) for key, value in plain.items())
    assert (own["blocks.0.attn.q_bias"] == 0.5).all()
    assert (own["blocks.0.attn.v_bias"] == 0.5).all()


def test_a_bias_of_the_keys_that_nothing_masks_is_refused(vit, weights_file):
    from nnunet_vit.errors import ModelError

    name, size = "vit_small_patch16_dinov3_qkvb", (32, 64)
    plain = vit("vit_small_patch16_dinov3", size, seed=7, depth=1).state_dict()
    tensors = as_meta(plain, bias=0.5)
    del tensors["blocks.0.attn.qkv.bias_mask"]
    file = weights_file(tensors, "dinov3.pth")
    with pytest.raises(ModelError) as caught:
        load_backbone_weights(vit(name, size, depth=1), file)
    assert str(caught.value) == (
        f"{file}: blocks.0.attn.k_bias is not zero, and this backbone has no such bias. "
        "Fix: choose weights whose attention has no bias of the keys; timm's has none."
    )
