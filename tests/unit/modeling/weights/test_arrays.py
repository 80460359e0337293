"""NumPy's archives: unusual kinds of numbers are read, and damage is one sentence."""

import io
import zipfile

import numpy as np
import pytest
import torch

from nnunet_vit.errors import ModelError
from nnunet_vit.modeling.weights.files.weights_reading import read_weights

pytestmark = pytest.mark.unit

STEM = "embedding/kernel"
KERNEL = np.arange(48, dtype=np.float32).reshape(2, 2, 3, 4)


def saved(tmp_path, save=np.savez, **arrays):
    save(tmp_path / "jax.npz", **arrays)
    return tmp_path / "jax.npz"


def test_big_endian_numbers_are_read(tmp_path):
    tensors = read_weights(saved(tmp_path, **{STEM: KERNEL.astype(">f4")}))
    assert torch.equal(tensors["embedding.kernel"], torch.from_numpy(KERNEL))


def test_bfloat16_is_read(tmp_path):
    values = torch.from_numpy(KERNEL).bfloat16()
    raw = values.view(torch.uint16).numpy().view("V2")
    assert torch.equal(read_weights(saved(tmp_path, **{STEM: raw}))["embedding.kernel"], values)


def test_texts_beside_weights_are_left_out(tmp_path):
    file = saved(tmp_path, **{STEM: KERNEL, "note": np.array("hi")})
    assert set(read_weights(file)) == {"embedding.kernel"}


@pytest.mark.parametrize("content", [{"a": 1}, ["a"] * 1000])
def test_pickled_objects_beside_weights_are_left_out_and_not_unpickled(tmp_path, content):
    file = saved(tmp_path, **{STEM: KERNEL, "config": np.array(content, dtype=object)})
    assert set(read_weights(file)) == {"embedding.kernel"}


def test_a_damaged_deflate_stream_is_one_sentence(tmp_path):
    noise = np.random.default_rng(0).random((16, 16, 3, 64))
    file = saved(tmp_path, np.savez_compressed, **{STEM: noise})
    content = bytearray(file.read_bytes())
    content[400:700] = bytes(byte ^ 0xFF for byte in content[400:700])
    file.write_bytes(content)
    with pytest.raises(ModelError, match="it is cut off or damaged"):
        read_weights(file)


def test_an_encrypted_archive_is_called_so(tmp_path):
    file = saved(tmp_path, **{STEM: KERNEL})
    content = bytearray(file.read_bytes())
    content[content.find(b"PK\x03\x04") + 6] |= 1
    content[content.find(b"PK\x01\x02") + 8] |= 1
    file.write_bytes(content)
    with pytest.raises(ModelError, match="it is encrypted"):
        read_weights(file)


def test_an_archive_of_a_later_version_is_one_sentence(tmp_path):
    file = saved(tmp_path, **{STEM: KERNEL})
    content = bytearray(file.read_bytes())
    content[content.find(b"PK\x01\x02") + 6] = 99
    file.write_bytes(content)
    with pytest.raises(ModelError, match="it is cut off or damaged"):
        read_weights(file)


def test_a_header_that_says_more_than_there_is(tmp_path):
    header, claim = io.BytesIO(), {"descr": "<f4", "fortran_order": False, "shape": (10**12,)}
    np.lib.format.write_array_header_1_0(header, claim)
    with zipfile.ZipFile(tmp_path / "jax.npz", "w") as file:
        file.writestr(f"{STEM}.npy", header.getvalue())
    with pytest.raises(ModelError, match="it is cut off or damaged"):
        read_weights(tmp_path / "jax.npz")
