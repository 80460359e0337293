"""What a checkpoint says about its origin."""

import hashlib
import platform

import pytest
import torch

from nnunet_vit.checkpoints import provenance
from nnunet_vit.checkpoints.provenance import file_record, sampled_digest, versions
from nnunet_vit.errors import ModelError
from nnunet_vit.files import digests

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
    read = digests.sha256
    monkeypatch.setattr(digests, "sha256", lambda file: reads.append(file) or read(file))
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


def written(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_a_sampled_digest_is_of_the_content_and_not_of_the_place(tmp_path):
    content = torch.randn(1 << 20).numpy().tobytes()
    digest = sampled_digest(written(tmp_path / "a.pth", content))
    assert sampled_digest(written(tmp_path / "b" / "other.pth", content)) == digest
    other = torch.randn(1 << 20).numpy().tobytes()
    assert sampled_digest(written(tmp_path / "c.pth", other)) != digest
    assert sampled_digest(written(tmp_path / "d.pth", content + b"x")) != digest
    assert sampled_digest(written(tmp_path / "e.pth", content[:-1] + b"x")) != digest
    assert sampled_digest(written(tmp_path / "f.pth", b"x" + content[1:])) != digest


def test_a_sampled_digest_of_little_is_of_all_of_it(tmp_path):
    digests = {sampled_digest(written(tmp_path / "a", bytes(content))) for content in range(3)}
    digests |= {sampled_digest(written(tmp_path / "a", b"12" + bytes([n]))) for n in range(3)}
    assert len(digests) == 6


def test_a_sampled_digest_of_a_folder_goes_through_its_files(tmp_path):
    folder = tmp_path / "snapshot"
    written(folder / "config.json", b"{}")
    written(folder / "model.safetensors", b"1234")
    digest = sampled_digest(folder)
    assert sampled_digest(folder.rename(tmp_path / "moved")) == digest
    written(tmp_path / "moved" / "model.safetensors", b"1235")
    assert sampled_digest(tmp_path / "moved") != digest


def test_versions(monkeypatch):
    found = versions()
    assert list(found) == ["python", "torch", "timm", "peft", "nnunetv2", "nnunet-vit"]
    assert found["python"] == platform.python_version()
    assert found["torch"].partition("+")[0] == torch.__version__.partition("+")[0]
    monkeypatch.setattr(provenance, "PACKAGES", ("surely-not-installed",))
    assert versions()["surely-not-installed"] == "not installed"
