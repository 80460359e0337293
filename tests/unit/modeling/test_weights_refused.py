"""Weights files that do not fit, are broken, or would run code: refused, and nothing is loaded."""

import os
import pickle

import pytest
import torch

from nnunet_vit.errors import ModelError
from nnunet_vit.modeling.weights import load_backbone_weights

pytestmark = pytest.mark.unit

CHECK = "Fix: check model.backbone and model.backbone_size against the file."
OBJECTS = (
    "{file} cannot be read as weights: it holds Python objects, or is no PyTorch file at all. "
    "Fix: give a .safetensors file or a .pth that holds nothing but tensors."
)
FORMAT = "Fix: give a .safetensors file or a .pth that holds nothing but tensors."


@pytest.fixture
def trained(vit):
    return vit(seed=7).state_dict()


@pytest.fixture
def refusal(vit):
    """`refusal(file)` is the whole error text, with `{file}` for its path; no weight changed."""

    def load(file, *settings, **more):
        model = vit(*settings, **more)
        before = {name: value.clone() for name, value in model.state_dict().items()}
        with pytest.raises(ModelError) as caught:
            load_backbone_weights(model, file)
        after = model.state_dict()
        assert all(torch.equal(after[name], value) for name, value in before.items())
        return str(caught.value).replace(str(file), "{file}")

    return load


def test_another_width(vit, weights_file, refusal):
    file = weights_file(vit("vit_tiny_patch16_224", None, depth=6).state_dict())
    assert refusal(file) == (
        "{file} does not fit the backbone: 78 tensors have another shape: "
        "blocks.0.attn.proj.bias (192,) instead of (64,), "
        "blocks.0.attn.proj.weight (192, 192) instead of (64, 64), "
        f"blocks.0.attn.qkv.bias (576,) instead of (192,), … (78 in all). {CHECK}"
    )


def test_another_width_and_depth(vit, weights_file, refusal):
    file = weights_file(vit("vit_tiny_patch16_224", None).state_dict())
    assert refusal(file) == (
        "{file} does not fit the backbone: 78 of 78 tensors covered; missing none; unknown "
        "blocks.10.attn.proj.bias, blocks.10.attn.proj.weight, blocks.10.attn.qkv.bias, "
        f"… (72 in all). {CHECK}"
    )


def test_another_patch_of_an_eva(vit, weights_file, refusal):
    file = weights_file(vit("eva02_tiny_patch14_224", (28, 28)).state_dict())
    assert refusal(file, "vit_tiny_patch16_224") == (
        "{file} does not fit the backbone: 138 of 150 tensors covered; missing "
        "blocks.0.attn.qkv.bias, blocks.1.attn.qkv.bias, blocks.2.attn.qkv.bias, … (12 in all); "
        "unknown blocks.0.attn.q_bias, blocks.0.attn.v_bias, blocks.1.attn.q_bias, "
        f"… (24 in all). {CHECK}"
    )


HALF = (
    "{file} does not fit the backbone: 39 of 78 tensors covered; missing "
    "blocks.2.mlp.fc2.bias, blocks.3.norm1.weight, blocks.3.norm1.bias, … (37 in all); "
    f"unknown none. {CHECK}"
)


def half(tensors):
    return dict(list(tensors.items())[: len(tensors) // 2])


def test_half_of_the_tensors(trained, weights_file, refusal):
    assert refusal(weights_file(half(trained))) == HALF


def test_an_unknown_tensor(trained, weights_file, refusal):
    tensors = {**trained, "blocks.6.norm1.bias": torch.zeros(64)}
    assert refusal(weights_file(tensors)) == (
        "{file} does not fit the backbone: 78 of 78 tensors covered; missing none; "
        f"unknown blocks.6.norm1.bias. {CHECK}"
    )


def test_a_prefix_before_every_name(trained, weights_file, refusal):
    tensors = {f"backbone.{name}": value for name, value in trained.items()}
    assert refusal(weights_file(tensors)) == (
        "{file} does not fit the backbone: 0 of 78 tensors covered; missing cls_token, pos_embed, "
        "patch_embed.proj.weight, … (76 in all); unknown backbone.blocks.0.attn.proj.bias, "
        "backbone.blocks.0.attn.proj.weight, backbone.blocks.0.attn.qkv.bias, "
        f"… (78 in all). {CHECK}"
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("name", ["weights.safetensors", "weights.pth"])
def test_values_that_are_not_finite(trained, weights_file, refusal, value, name):
    trained["blocks.3.mlp.fc1.weight"][5, 5] = value
    assert refusal(weights_file(trained, name)) == (
        "{file} holds values that are not finite (NaN or infinity)."
    )


class MakesAFolder:
    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("place", ["beside", "inside", "alone", "pickle"])
def test_a_file_with_code_is_not_run(trained, weights_file, refusal, tmp_path, place):
    marker = tmp_path / "marker"
    evil = MakesAFolder(marker)
    content = {"beside": {"model": trained, "args": evil}, "inside": {**trained, "x": evil}}
    file = weights_file(content.get(place, evil), "evil.pth")
    if place == "pickle":
        file.write_bytes(pickle.dumps({**trained, "x": evil}))
    assert refusal(file) == OBJECTS
    assert not marker.exists()
    torch.load(file, weights_only=False) if place != "pickle" else pickle.loads(file.read_bytes())
    assert marker.exists()  # the file was able to


@pytest.mark.parametrize("kind", ["code", "html", "namespace"])
def test_nobody_is_told_to_load_it_unsafely(trained, weights_file, refusal, tmp_path, kind):
    from argparse import Namespace

    content = {
        "code": {"x": MakesAFolder(tmp_path / "marker")},
        "namespace": {"model": trained, "args": Namespace(lr=1)},
    }
    file = weights_file(content.get(kind), "weights.pth")
    if kind == "html":
        file.write_text("<!DOCTYPE html><html><body>Please log in</body></html>")
    assert refusal(file) == OBJECTS


HEADER = "Error while deserializing header: "
ARCHIVE = (
    "PytorchStreamReader failed reading zip archive: {}. This is an internal miniz error. "
    "If you are seeing this error, there is a high likelihood that your checkpoint file is "
    "corrupted. This can happen if the checkpoint was not saved properly, was transferred "
    "incorrectly, or the file was modified after saving"
)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("page.safetensors", b"<!DOCTYPE html><html>", HEADER + "header too large"),
        ("empty.pth", b"", "EOFError"),
        ("empty.safetensors", b"", HEADER + "header too small"),
        ("short.pth", b"PK\x03\x04 and no more", ARCHIVE.format("not a ZIP archive")),
    ],
)
def test_a_file_that_holds_no_weights(tmp_path, refusal, name, content, reason):
    (tmp_path / name).write_bytes(content)
    assert refusal(tmp_path / name) == f"{{file}} cannot be read as weights: {reason}. {FORMAT}"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("weights.safetensors", HEADER + "incomplete metadata, file not fully covered"),
        ("weights.pth", ARCHIVE.format("failed finding central directory")),
    ],
)
def test_a_file_that_is_cut_off(trained, weights_file, refusal, name, reason):
    file = weights_file(trained, name)
    file.write_bytes(file.read_bytes()[:-1000])
    assert refusal(file) == f"{{file}} cannot be read as weights: {reason}. {FORMAT}"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("none.pth", "[Errno 2] No such file or directory: '{file}'"),
        ("none.safetensors", "No such file or directory: {file}"),
        ("", "[Errno 21] Is a directory: '{file}'"),
    ],
)
def test_no_file_and_a_folder(tmp_path, refusal, name, reason):
    text = refusal(tmp_path / name)
    assert text == f"{{file}} cannot be read as weights: {reason}. {FORMAT}"


@pytest.mark.parametrize("content", [[1, 2], {"x": 1}, torch.zeros(3), "text", {"model": [1]}])
def test_what_is_no_mapping_to_tensors(weights_file, refusal, content):
    file = weights_file(content, "weights.pth")
    assert refusal(file) == "{file} holds no mapping of names to tensors."


@pytest.mark.parametrize(("there", "wanted"), [(2, 3), (5, 1), (5, 4), (4, 3)])
def test_a_stem_that_cannot_be_adapted(vit, weights_file, refusal, there, wanted):
    file = weights_file(vit(size=None, channels=there).state_dict())
    assert refusal(file, channels=wanted) == (
        f"{{file}} was trained on {there} channels, the images have {wanted}; "
        "weights of 1 or 3 channels can be adapted."
    )
