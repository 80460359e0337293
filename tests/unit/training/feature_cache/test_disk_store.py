"""Views in files: whole or not at all, and none that is not what was written."""

import pytest
import torch

from nnunet_vit.errors import MachineError
from nnunet_vit.training.feature_cache.disk_store import DiskStore
from nnunet_vit.training.feature_cache.memory_store import MemoryStore

pytestmark = pytest.mark.unit


def lot(number):
    start = 10.0 * number
    return {
        "images": start + torch.arange(6.0).reshape(3, 2),
        "target.0": (start + torch.arange(3)).to(torch.int16),
        "feature.0": (start + torch.arange(12.0)).reshape(3, 2, 2).to(torch.bfloat16),
        "feature.prefix": torch.empty(3, 0, 4),
    }


@pytest.fixture(params=["memory", "disk"])
def store(request, tmp_path):
    return MemoryStore(4, 3) if request.param == "memory" else DiskStore(tmp_path / "new", 3)


def test_views_come_back_in_the_order_asked_for(store):
    for number in (2, 0):
        store.put(number, lot(number))
    assert [number in store for number in range(4)] == [True, False, True, False]
    found = store.take([8, 1, 1, 6])
    for name, value in found.items():
        expected = [lot(2)[name][2], lot(0)[name][1], lot(0)[name][1], lot(2)[name][0]]
        assert torch.equal(value, torch.stack(expected)) and value.dtype == lot(0)[name].dtype


def test_nothing_is_kept_after_clear(store):
    store.put(0, lot(0))
    store.clear()
    assert 0 not in store


def opened(folder):
    store = DiskStore(folder, 3)
    store.look()
    return store


def test_what_was_written_is_found_again(tmp_path):
    DiskStore(tmp_path, 3).put(1, lot(1))
    (tmp_path / "notes.txt").write_text("mine")
    again = opened(tmp_path)
    assert 1 in again and (again.looked_at, again.damaged) == (1, 0)
    assert torch.equal(again.take([3])["images"], lot(1)["images"][:1])
    again.clear()
    assert [file.name for file in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("place", [8, 100, -1])
def test_one_changed_byte_is_noticed(tmp_path, place):
    DiskStore(tmp_path, 3).put(1, lot(1))
    (file,) = tmp_path.iterdir()
    content = bytearray(file.read_bytes())
    content[place] ^= 1
    file.write_bytes(content)
    again = opened(tmp_path)
    assert 1 not in again and again.damaged == 1
    assert list(tmp_path.iterdir()) == []


def test_a_file_with_another_name_is_removed(tmp_path):
    store = DiskStore(tmp_path, 3)
    store.put(1, lot(1))
    (file,) = tmp_path.iterdir()
    file.rename(tmp_path / "000001.safetensors")
    assert opened(tmp_path).damaged == 1


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(MachineError, match="cannot be written") as raised:
        DiskStore(tmp_path / "file" / "cache", 3).put(0, lot(0))
    assert "where: memory" in raised.value.fix
