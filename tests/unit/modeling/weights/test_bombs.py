"""Small files that ask for much memory are refused; files without checksums load."""

import pickle
import struct
import tracemalloc
import zipfile

import pytest
import torch

from nnunet_vit.errors import ModelError, shortened
from nnunet_vit.modeling.weights.files.weights_reading import read_weights

pytestmark = pytest.mark.unit

GIGABYTE = 1 << 30


def archive(path, pickled, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as file:
        file.writestr("archive/data.pkl", pickled)
        file.writestr("archive/version", "3")
    return path


def test_a_length_without_its_bytes_asks_for_no_memory(tmp_path):
    pickled = b"\x80\x05" + pickle.BYTEARRAY8 + struct.pack("<Q", GIGABYTE)
    tracemalloc.start()
    try:
        with pytest.raises(ModelError):
            read_weights(archive(tmp_path / "bytes.pth", pickled))
        assert tracemalloc.get_traced_memory()[1] < GIGABYTE // 8
    finally:
        tracemalloc.stop()


def test_compressed_parts_are_refused(tmp_path):
    content = pickle.dumps({}, protocol=2)
    with pytest.raises(ModelError, match=r"archive/data\.pkl in it is compressed"):
        read_weights(archive(tmp_path / "bomb.pth", content, zipfile.ZIP_DEFLATED))


def test_a_number_repeated_without_end_is_refused(tmp_path):
    file = tmp_path / "repeated.pth"
    torch.save({"pos_embed": torch.ones(1).expand(10**12)}, file)
    with pytest.raises(ModelError, match="damaged"):
        read_weights(file)
    torch.save({"pos_embed": torch.ones(1).expand(3, 4)}, file)
    assert read_weights(file)["pos_embed"].shape == (3, 4)


@pytest.mark.parametrize("dtype", [torch.uint16, torch.float8_e4m3fn, torch.uint32])
def test_kinds_of_numbers_are_looked_up_in_a_table(tmp_path, dtype):
    file = tmp_path / "kinds.pth"
    torch.save({"weight": torch.zeros(4).to(dtype)}, file)
    assert read_weights(file)["weight"].dtype == dtype


def test_a_file_without_checksums_loads(tmp_path):
    torch.serialization.set_crc32_options(False)
    try:
        torch.save({"weight": torch.arange(4.0)}, tmp_path / "crc.pth")
    finally:
        torch.serialization.set_crc32_options(True)
    assert read_weights(tmp_path / "crc.pth")["weight"].tolist() == [0, 1, 2, 3]


def test_names_do_not_steer_the_terminal():
    assert shortened(["os.\x1b[2Jx", "a\nb", "ä"]) == r"os.\x1b[2Jx, a\nb, ä"
