"""A run's name covers all that is read of its weights, and nothing that lies beside them."""

import os

import pytest

from nnunet_vit.checkpoints.provenance import sampled_digest
from nnunet_vit.config.models import ViTModelConfig, ViTnnUNetConfig
from nnunet_vit.errors import ModelError
from nnunet_vit.nnunet.run_names import name_where_found, plans_name, weights_digest

pytestmark = pytest.mark.unit

PATTERN = "Trainer__{}__2d"


@pytest.fixture
def snapshot(tmp_path):
    folder = tmp_path / "snapshot"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(bytes(6_000_000))
    return folder


def run_of(path, **model):
    return ViTnnUNetConfig(model=ViTModelConfig(checkpoint_path=str(path), **model))


def test_what_lies_beside_the_weights_and_when_changes_nothing(snapshot, tmp_path):
    digest = weights_digest(snapshot)
    notes = snapshot / ".cache" / "huggingface" / "download"
    notes.mkdir(parents=True)
    (notes / "model.safetensors.metadata").write_text("a commit\nan etag\n1700000000.1")
    (snapshot / "README.md").write_text("a model card")
    os.utime(snapshot / "model.safetensors", (1, 1))
    assert weights_digest(snapshot) == digest
    assert weights_digest(snapshot.rename(tmp_path / "moved")) == digest


@pytest.mark.parametrize("place", [0, 500_000, 1_234_567, 5_999_999])
def test_every_byte_of_the_weights_counts(snapshot, place):
    digest = weights_digest(snapshot)
    content = bytearray(6_000_000)
    content[place] = 1
    (snapshot / "model.safetensors").write_bytes(content)
    assert weights_digest(snapshot) != digest
    assert weights_digest(snapshot / "model.safetensors") != digest


@pytest.mark.parametrize("name", ["config.json", "preprocessor_config.json"])
def test_what_describes_the_weights_counts(snapshot, name):
    digest = weights_digest(snapshot)
    (snapshot / name).write_text('{"image_mean": [0.5, 0.5, 0.5]}')
    assert weights_digest(snapshot) != digest


def test_a_file_is_told_by_its_content_alone(tmp_path):
    for name, content in (("a.pth", b"1"), ("b.bin", b"1"), ("c.pth", b"2")):
        (tmp_path / name).write_bytes(content)
    first, same, other = (weights_digest(tmp_path / name) for name in ("a.pth", "b.bin", "c.pth"))
    assert first == same != other


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ModelError) as caught:
        plans_name(run_of(tmp_path / "gone.pth"))
    assert "gone.pth cannot be read: No such file or directory." in str(caught.value)


def test_a_run_of_before_is_still_found(snapshot, tmp_path, monkeypatch):
    """It was named by a sample of all files; new ones get the name of the whole content."""
    from nnunet_vit.nnunet import run_names

    run = run_of(snapshot)
    with monkeypatch.context() as before:
        before.setattr(run_names, "weights_digest", sampled_digest)
        older = plans_name(run)
    assert older != plans_name(run)
    assert name_where_found(run, tmp_path, PATTERN) == plans_name(run)
    (tmp_path / PATTERN.format(older)).mkdir()
    assert name_where_found(run, tmp_path, PATTERN) == older
    more = run_of(snapshot, backbone_arguments={"init_values": 1.0})  # that snapshots say now
    assert name_where_found(more, tmp_path, PATTERN) == older
    (tmp_path / PATTERN.format(plans_name(run))).mkdir()
    assert name_where_found(run, tmp_path, PATTERN) == plans_name(run)


def test_a_repository_is_in_the_name():
    run = ViTnnUNetConfig(
        model=ViTModelConfig(backbone="timm:vit_large_patch16_224", repository="clinic/tile-vit")
    )
    assert plans_name(run).startswith("segformer-timm_clinic_tile-vit-full-")
