"""A file is known by its first bytes, whatever its name: read, or named and refused."""

import gzip
import json
import zipfile

import pytest
import torch
from safetensors.torch import save_file

from nnunet_vit.modeling.weights import load_backbone_weights

pytestmark = pytest.mark.unit

ENDINGS = ["safetensors", "pth", "bin", "ckpt", "pt", "SAFETENSORS", "npz", "weights", "2"]


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("form", ["safetensors", "archive", "older"])
def test_the_ending_of_a_name_says_nothing(vit, trained, tmp_path, ending, form):
    file, model = tmp_path / f"weights.{ending}", vit()
    if form == "safetensors":
        save_file(trained, file)
    else:
        torch.save(trained, file, _use_new_zipfile_serialization=form == "archive")
    assert load_backbone_weights(model, file).share == 1
    assert all(torch.equal(model.state_dict()[name], value) for name, value in trained.items())


ONNX = b"\x08\x0a\x12\x07pytorch\x1a\x052.4.0:\x00"
KINDS = {
    "an HDF5 file (Keras)": b"\x89HDF\r\n\x1a\n" + bytes(40),
    "a GGUF file": b"GGUF\x03\x00\x00\x00" + bytes(40),
    "a Flax (msgpack) file": b"\x81\xa6params\x82\xa3abc\xc0\xa3def\xc0",
    "an ONNX model": ONNX + bytes(40),
    "a TensorFlow model (SavedModel)": b"\x08\x01\x12\xf0\x01" + bytes(40),
    "a TensorFlow Lite file": b"\x1c\x00\x00\x00TFL3" + bytes(40),
    "a single NumPy array (.npy)": b"\x93NUMPY\x01\x00v\x00" + bytes(40),
}


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("name", ["weights.safetensors", "weights.pth", "weights.h5"])
def test_other_formats_are_named(tmp_path, refusal, kind, name):
    (tmp_path / name).write_bytes(KINDS[kind])
    assert refusal(tmp_path / name) == (
        f"{{file}} cannot be read as weights: it is {kind}, which is not supported. Fix: load it "
        "with the library that wrote it and save its tensors under the names of a PyTorch model, "
        "with safetensors.torch.save_file."
    )


def test_a_large_flax_file(tmp_path, refusal):
    (tmp_path / "flax_model.msgpack").write_bytes(b"\xde\x00\x20\xabencoder_one" + bytes(40))
    assert "it is a Flax (msgpack) file" in refusal(tmp_path / "flax_model.msgpack")


def test_a_packed_file(tmp_path, refusal):
    (tmp_path / "weights.pth").write_bytes(gzip.compress(b"weights"))
    assert refusal(tmp_path / "weights.pth") == (
        "{file} cannot be read as weights: it is a packed file, which is not supported. "
        "Fix: unpack it, and give the weights file inside."
    )


def test_a_zip_with_the_file_inside(tmp_path, trained, weights_file, refusal):
    inner = weights_file(trained)
    with zipfile.ZipFile(tmp_path / "weights.zip", "w") as archive:
        archive.write(inner, "download/weights.safetensors")
    assert refusal(tmp_path / "weights.zip") == (
        "{file} cannot be read as weights: it is an archive of something else. Fix: unpack it, "
        "and give the weights file inside (download/weights.safetensors)."
    )


def test_a_keras_archive(tmp_path, refusal):
    with zipfile.ZipFile(tmp_path / "model.keras", "w") as archive:
        archive.writestr("model.weights.h5", b"x")
    assert "it is a Keras file, which is not supported." in refusal(tmp_path / "model.keras")


def test_an_index_in_place_of_the_folder(tmp_path, refusal):
    file = tmp_path / "model.safetensors.index.json"
    file.write_text(json.dumps({"weight_map": {}}))
    assert "cannot be read as weights: it is a text file (JSON)." in refusal(file)


def test_an_exported_program(tmp_path, refusal):
    """Its sample inputs are no weights."""
    with zipfile.ZipFile(tmp_path / "vit.pt2", "w") as archive:
        for name in ("data/weights/weight_0", "data/sample_inputs/model.pt", "archive_format"):
            archive.writestr(f"vit/{name}", b"pt2")
    assert refusal(tmp_path / "vit.pt2") == (
        "{file} cannot be read as weights: it is an exported program (torch.export). Fix: save "
        "torch.export.load(path).state_dict with safetensors.torch.save_file, and give that."
    )
