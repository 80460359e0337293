"""Files that are no weights, are broken, or would run code: refused; nothing is run or loaded."""

import os
import pickle

import pytest
import torch

pytestmark = pytest.mark.unit

OBJECTS = (
    "{file} holds Python objects, which can run code: posix.mkdir. Nothing was loaded. "
    "Fix: take a file of tensors alone (.safetensors); where you trust this one, copy its tensors "
    "into such a file as docs/weights.md shows under 'What is refused'."
)
FORMAT = (
    "Fix: give a .safetensors file, a .pth that holds nothing but tensors, or the folder of a "
    "Hugging Face snapshot."
)
AGAIN = "Fix: fetch it again, and compare its size or sha256 with the publisher's."
AGAIN_OR_FORMAT = FORMAT.replace("Fix: ", "Fix: fetch it again; where it is whole, ")
PULL = "Fix: git lfs pull in the folder that it lies in, or fetch the file itself."
SAVE = (
    "Fix: where the file was made, save model.state_dict(), or the mapping inside it alone, with "
    "safetensors.torch.save_file."
)


class MakesAFolder:
    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("place", ["beside", "inside", "alone", "older"])
def test_a_file_with_code_is_not_run(trained, weights_file, refusal, tmp_path, place):
    marker = tmp_path / "marker"
    evil = MakesAFolder(marker)
    content = {"beside": {"model": trained, "args": evil}, "inside": {**trained, "x": evil}}
    file = weights_file(content.get(place, evil), "evil.pth")
    if place == "older":
        torch.save({**trained, "x": evil}, file, _use_new_zipfile_serialization=False)
    assert refusal(file) == OBJECTS
    assert not marker.exists()
    torch.load(file, weights_only=False)
    assert marker.exists()  # the file was able to


def test_a_pickle_with_code_is_not_run(trained, refusal, tmp_path):
    marker, file = tmp_path / "marker", tmp_path / "evil.pth"
    file.write_bytes(pickle.dumps({**trained, "x": MakesAFolder(marker)}))
    assert refusal(file) == (
        "{file} cannot be read as weights: it is no PyTorch file, or damaged. " + AGAIN_OR_FORMAT
    )
    assert not marker.exists()
    pickle.loads(file.read_bytes())
    assert marker.exists()


def test_a_snapshot_with_code_is_not_run(trained, refusal, tmp_path):
    torch.save({**trained, "x": MakesAFolder(tmp_path / "marker")}, tmp_path / "pytorch_model.bin")
    assert refusal(tmp_path) == OBJECTS.replace("{file}", "{file}/pytorch_model.bin")
    assert not (tmp_path / "marker").exists()


def test_every_kind_of_object_is_named(trained, weights_file, refusal):
    """But not the arguments, paths and numbers of training scripts, which are let through."""
    from argparse import Namespace
    from decimal import Decimal
    from fractions import Fraction
    from pathlib import PurePosixPath

    objects = {"args": Namespace(out=PurePosixPath("x"), x=Fraction(1)), "lr": Decimal(1)}
    text = refusal(weights_file({"model": trained, **objects}, "weights.pth"))
    assert text.partition(" Fix: ")[0].endswith(
        "which can run code: decimal.Decimal, fractions.Fraction. Nothing was loaded."
    )


SAFETENSORS = "it is cut off, damaged or no safetensors file ({})"
PAGE = "it is a web page, saved in place of the file"
LFS = b"version 1\noid sha256:0123456789abcdef\nsize 86000000\n"
POINTER = "it is a Git LFS pointer, not the file itself"


@pytest.mark.parametrize(
    ("name", "content", "reason", "fix"),
    [
        ("page.safetensors", b"<!DOCTYPE html><html>", PAGE, AGAIN),
        ("page.pth", b"\n<html><body>Please log in</body></html>", PAGE, AGAIN),
        ("empty.pth", b"", "it is empty", AGAIN),
        ("empty.safetensors", b"", "it is empty", AGAIN),
        ("pointer.pth", LFS, POINTER, PULL),
        ("pointer.safetensors", LFS, POINTER, PULL),
        ("text.pth", b"no weights at all", "it is no PyTorch file, or damaged", AGAIN_OR_FORMAT),
        (
            "text.safetensors",
            b"no weights at all",
            SAFETENSORS.format("header too large"),
            AGAIN_OR_FORMAT,
        ),
        ("short.pth", b"PK\x03\x04 and no more", "it is cut off or damaged", AGAIN),
    ],
)
def test_a_file_that_holds_no_weights(tmp_path, refusal, name, content, reason, fix):
    (tmp_path / name).write_bytes(content)
    assert refusal(tmp_path / name) == f"{{file}} cannot be read as weights: {reason}. {fix}"


def test_an_archive_of_something_else(tmp_path, refusal):
    import numpy as np

    np.savez(tmp_path / "weights.npz", kernel=np.zeros(3))
    assert refusal(tmp_path / "weights.npz") == (
        f"{{file}} cannot be read as weights: it is an archive of something else. {FORMAT}"
    )


INCOMPLETE = SAFETENSORS.format("incomplete metadata, file not fully covered")


@pytest.mark.parametrize(
    ("name", "reason"),
    [("weights.safetensors", INCOMPLETE), ("weights.pth", "it is cut off or damaged")],
)
@pytest.mark.parametrize("left", [-1000, 3000])
def test_a_file_that_is_cut_off(trained, weights_file, refusal, name, reason, left):
    file = weights_file(trained, name)
    file.write_bytes(file.read_bytes()[:left])
    if name.endswith("safetensors") and left > 0:
        reason = SAFETENSORS.format("invalid header length")
    fix = AGAIN if name.endswith(".pth") else AGAIN_OR_FORMAT
    assert refusal(file) == f"{{file}} cannot be read as weights: {reason}. {fix}"


def test_a_safetensors_file_with_a_tail(trained, weights_file, refusal):
    file = weights_file(trained)
    file.write_bytes(file.read_bytes() + b"garbage")
    assert refusal(file) == f"{{file}} cannot be read as weights: {INCOMPLETE}. {AGAIN_OR_FORMAT}"


@pytest.mark.parametrize("name", ["none.pth", "none.safetensors"])
def test_no_file(tmp_path, refusal, name):
    assert refusal(tmp_path / name) == (
        f"{{file}} cannot be read as weights: No such file or directory. {FORMAT}"
    )


def test_a_folder_that_is_no_snapshot(tmp_path, refusal):
    (tmp_path / "config.json").write_text("{}")
    assert refusal(tmp_path) == (
        "{file} is no snapshot of weights: it holds neither model.safetensors nor "
        "pytorch_model.bin, whole or with .index.json. Fix: give the weights file itself, or the "
        "folder that config.json and the weights lie in."
    )


BROKEN = ["", "[]", "{}", '{"weight_map": 3}', '{"weight_map": {"a": 1}}', "[" * 100_000]


@pytest.mark.parametrize("text", BROKEN, ids=lambda text: text[:20] or "empty")
def test_a_snapshot_with_a_broken_index(tmp_path, refusal, text):
    (tmp_path / "model.safetensors.index.json").write_text(text)
    assert refusal(tmp_path) == (
        "{file}/model.safetensors.index.json cannot be read as weights: it is no index of shards. "
        + AGAIN
    )


def test_a_snapshot_that_lacks_a_shard(trained, weights_file, refusal, tmp_path):
    weights_file(trained, "model-1.safetensors")
    text = '{"weight_map": {"a": "model-1.safetensors", "b": "../up/model-2.safetensors"}}'
    (tmp_path / "model.safetensors.index.json").write_text(text)
    assert refusal(tmp_path) == (
        "{file} is incomplete: 1 of 2 files of its index are not there: model-2.safetensors. "
        "Fix: fetch the whole snapshot again."
    )


def test_a_snapshot_whose_index_leaves_out_a_shard(trained, weights_file, refusal, tmp_path):
    """The second one lies beside; without it half of the network is missing."""
    for number in (1, 2):
        weights_file(trained, f"model-0000{number}-of-00002.safetensors")
    text = '{"weight_map": {"a": "model-00001-of-00002.safetensors"}}'
    (tmp_path / "model.safetensors.index.json").write_text(text)
    assert refusal(tmp_path) == (
        "{file}/model.safetensors.index.json is incomplete: it names 1 of the 2 files that "
        "model-00001-of-00002.safetensors is one of. Fix: fetch model.safetensors.index.json "
        "again, or the whole snapshot."
    )


@pytest.mark.parametrize(
    "content", [[1, 2], {}, {1: torch.zeros(3)}, {"x": 1}, torch.zeros(3), "text", {"model": [1]}]
)
def test_what_is_no_mapping_to_tensors(weights_file, refusal, content):
    file = weights_file(content, "weights.pth")
    assert refusal(file) == f"{{file}} holds no mapping of names to tensors. {SAVE}"
