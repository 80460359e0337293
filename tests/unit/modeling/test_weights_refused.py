"""Weights files that do not fit, are broken, or would run code: refused, and nothing is loaded."""

import os
import pickle

import pytest
import torch

from nnunet_vit.errors import ModelError
from nnunet_vit.modeling.weights import load_backbone_weights

pytestmark = pytest.mark.unit

CHECK = "Fix: check model.backbone and model.backbone_size against the file."
FORMAT = "Fix: give a .safetensors file or a .pth that holds nothing but tensors."


@pytest.fixture
def trained(vit):
    return vit(seed=7).state_dict()


@pytest.fixture
def refusal(vit):
    """`refusal(file)` is the whole error text, with `{file}` for its path; no weight changed."""

    def load(file, *settings, unchanged=True, **more):
        model = vit(*settings, **more)
        before = {name: value.clone() for name, value in model.state_dict().items()}
        with pytest.raises(ModelError) as caught:
            load_backbone_weights(model, file)
        after = model.state_dict()
        if unchanged:
            assert all(torch.equal(after[name], value) for name, value in before.items())
        return str(caught.value).replace(str(file), "{file}")

    return load


def test_another_width(vit, weights_file, refusal):
    file = weights_file(vit("vit_tiny_patch16_224", None).state_dict())
    text = refusal(file)
    assert text.startswith("{file} does not fit the backbone: 78 tensors have another shape: ")
    assert "blocks.0.attn.proj.bias (192,) instead of (64,)" in text
    assert text.endswith(f", … (78 in all). {CHECK}")


def test_another_patch_of_an_eva(vit, weights_file, refusal):
    file = weights_file(vit("eva02_tiny_patch14_224", (28, 28)).state_dict())
    assert refusal(file, "vit_tiny_patch16_224").startswith("{file} does not fit the backbone: ")


HALF = (
    "{file} does not fit the backbone: 41 of 78 tensors covered; missing "
    "blocks.2.mlp.fc2.bias, blocks.3.norm1.weight, blocks.3.norm1.bias, … (37 in all); "
    f"unknown none. {CHECK}"
)


def half(tensors):
    return dict(list(tensors.items())[: len(tensors) // 2])


def test_half_of_the_tensors(trained, weights_file, refusal):
    assert refusal(weights_file(half(trained)), unchanged=False) == HALF


def test_an_unknown_tensor(trained, weights_file, refusal):
    tensors = {**trained, "blocks.6.norm1.bias": torch.zeros(64)}
    assert refusal(weights_file(tensors), unchanged=False) == (
        "{file} does not fit the backbone: 78 of 78 tensors covered; missing none; "
        f"unknown blocks.6.norm1.bias. {CHECK}"
    )


@pytest.mark.parametrize("part", [half, lambda tensors: {**tensors, "surprise": torch.zeros(3)}])
def test_a_refused_file_leaves_the_model_as_it_is(trained, weights_file, refusal, part):
    refusal(weights_file(part(trained)))


def test_a_prefix_before_every_name(trained, weights_file, refusal):
    tensors = {f"backbone.{name}": value for name, value in trained.items()}
    text = refusal(weights_file(tensors))
    assert text.startswith("{file} does not fit the backbone: ")
    assert "missing cls_token, pos_embed, patch_embed.proj.weight, … (76 in all)" in text
    assert "unknown backbone.blocks.0.attn.proj.bias, " in text
    assert text.endswith(f", … (78 in all). {CHECK}")


def test_nothing_is_not_called_covered(trained, weights_file, refusal):
    tensors = {f"backbone.{name}": value for name, value in trained.items()}
    assert " 0 of 78 tensors covered" in refusal(weights_file(tensors))


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
    text = refusal(file)
    assert not marker.exists()
    assert text.startswith("{file} cannot be read as weights: ")
    assert text.endswith(FORMAT)
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
    text = refusal(file)
    assert "weights_only" not in text
    assert "\x1b" not in text


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("page.pth", b"<!DOCTYPE html><html><body>Please log in</body></html>", ""),
        ("page.safetensors", b"<!DOCTYPE html><html>", "Error while deserializing header: "),
        ("empty.pth", b"", "EOFError() Fix"),
        ("empty.safetensors", b"", "Error while deserializing header: header too small Fix"),
        ("short.pth", b"PK\x03\x04 and no more", "PytorchStreamReader failed"),
    ],
)
def test_a_file_that_holds_no_weights(tmp_path, refusal, name, content, reason):
    (tmp_path / name).write_bytes(content)
    text = refusal(tmp_path / name)
    assert text.startswith("{file} cannot be read as weights: " + reason)
    assert text.endswith(FORMAT)


@pytest.mark.parametrize("name", ["weights.safetensors", "weights.pth"])
def test_a_file_that_is_cut_off(trained, weights_file, refusal, name):
    file = weights_file(trained, name)
    file.write_bytes(file.read_bytes()[:-1000])
    assert refusal(file).startswith("{file} cannot be read as weights: ")


def test_no_file_and_a_folder(tmp_path, refusal):
    assert refusal(tmp_path / "none.pth").startswith(
        "{file} cannot be read as weights: [Errno 2] No such file or directory: "
    )
    assert refusal(tmp_path).startswith("{file} cannot be read as weights: [Errno 21] ")


@pytest.mark.parametrize("content", [[1, 2], {"x": 1}, torch.zeros(3), "text", {"model": [1]}])
def test_what_is_no_mapping_to_tensors(weights_file, refusal, content):
    file = weights_file(content, "weights.pth")
    assert refusal(file) == "{file} holds no mapping of names to tensors."


@pytest.mark.parametrize(("there", "wanted"), [(1, 5), (5, 1), (5, 4)])
def test_a_stem_that_cannot_be_adapted(vit, weights_file, refusal, there, wanted):
    file = weights_file(vit(size=None, channels=there).state_dict())
    assert refusal(file, channels=wanted).startswith("{file} does not fit the backbone: ")


def test_one_channel_is_not_made_three(vit, weights_file, refusal):
    file = weights_file(vit(channels=1, seed=7).state_dict())
    assert refusal(file) == (
        "{file} does not fit the backbone: 1 tensors have another shape: patch_embed.proj.weight "
        f"(64, 1, 16, 16) instead of (64, 3, 16, 16). {CHECK}"
    )
