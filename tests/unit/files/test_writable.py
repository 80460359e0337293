"""Folders that cannot be written are refused before the work, and nothing is left of the try."""

import errno
import os
import stat

import pytest
from read_only import read_only

from nnunet_vit.errors import MachineError
from nnunet_vit.files.writable import check_writable
from nnunet_vit.files.writing import replacing

__all__ = ["read_only"]
pytestmark = pytest.mark.unit
FIX = "Fix: choose another folder, or allow writing there."


def refusal(folder):
    with pytest.raises(MachineError) as caught:
        check_writable(folder, "-o it")
    return str(caught.value)


@pytest.mark.parametrize("place", ["", "new", "new/and/deep"])
def test_nothing_is_left_where_writing_is_allowed(tmp_path, place):
    check_writable(tmp_path / place, "-o it")
    assert list(tmp_path.iterdir()) == []


def test_relative_folders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check_writable(tmp_path.relative_to(tmp_path) / "new", "-o new")


@pytest.mark.parametrize("place", ["taken", "taken/new", "taken/new/deep"])
def test_a_file_in_the_way(tmp_path, place):
    (tmp_path / "taken").touch()
    problem = f"-o it cannot be written: {tmp_path / 'taken'} is a file. {FIX}"
    assert refusal(tmp_path / place) == problem


@pytest.mark.parametrize("place", ["link", "link/new"])
def test_a_link_to_nothing_in_the_way(tmp_path, place):
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    assert f"{tmp_path / 'link'} is a link to nothing" in refusal(tmp_path / place)


def test_a_disk_that_is_read_only(tmp_path, read_only):
    read_only(tmp_path)
    there = f"-o it cannot be written: the disk of that folder is read-only. {FIX}"
    assert refusal(tmp_path) == there
    assert refusal(tmp_path / "a/b") == there.replace("that folder", str(tmp_path))


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission(tmp_path):
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    assert "this user may not write in that folder" in refusal(tmp_path)
    tmp_path.chmod(stat.S_IRWXU)


def test_a_name_that_no_folder_can_have(tmp_path):
    assert os.strerror(errno.ENAMETOOLONG) in refusal(tmp_path / ("x" * 300))


def test_errors_of_the_disk_name_the_file_itself(tmp_path):
    (tmp_path / "taken").touch()
    for file in (tmp_path / "none/x.json", tmp_path / "taken/x.json"):
        with pytest.raises(OSError) as caught, replacing(file) as unfinished:
            unfinished.write_text("{}")
        assert caught.value.filename == str(file)
        assert ".tmp-" not in str(caught.value)
