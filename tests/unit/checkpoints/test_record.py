"""What a checkpoint says about its origin."""

import hashlib
import platform

import pytest
import torch

from nnunet_vit.checkpoints import record
from nnunet_vit.checkpoints.record import file_record, versions
from nnunet_vit.errors import ModelError

pytestmark = pytest.mark.unit


def test_a_file_by_its_content(tmp_path):
    path = tmp_path / "weights.pth"
    path.write_bytes(b"abc" * 1_000_000)
    assert file_record(path) == {
        "name": "weights.pth",
        "bytes": 3_000_000,
        "sha256": hashlib.sha256(b"abc" * 1_000_000).hexdigest(),
    }


def test_a_file_is_read_again_only_when_it_changed(tmp_path, monkeypatch):
    path, reads = tmp_path / "weights.pth", []
    read = record.sha256
    monkeypatch.setattr(record, "sha256", lambda file: reads.append(file) or read(file))
    path.write_bytes(b"one")
    first = file_record(path)
    assert file_record(path) == first
    assert len(reads) == 1
    other = tmp_path / "other"
    other.write_bytes(b"two")
    other.replace(path)  # of the same size, and perhaps of the same moment
    assert file_record(path)["sha256"] == hashlib.sha256(b"two").hexdigest()
    assert len(reads) == 2


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ModelError) as caught:
        file_record(tmp_path / "none.pth")
    assert (
        str(caught.value) == f"{tmp_path / 'none.pth'} cannot be read: No such file or directory."
    )


def test_versions(monkeypatch):
    found = versions()
    assert list(found) == ["python", "torch", "timm", "peft", "nnunetv2", "nnunet-vit"]
    assert found["python"] == platform.python_version()
    assert found["torch"].partition("+")[0] == torch.__version__.partition("+")[0]
    monkeypatch.setattr(record, "PACKAGES", ("surely-not-installed",))
    assert versions()["surely-not-installed"] == "not installed"
