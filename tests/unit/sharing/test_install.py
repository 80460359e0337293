"""Where a bundle is installed, and what is in the way."""

import json
import os
import shutil
import zipfile

import pytest
from shared_models import (
    WEIGHTS,
    contents,
    everything_in,
    exported,
    installed,
    repacked,
    same_weights,
    stored_model,
    unfinished_model,
    weights_of,
)

from nnunet_vit.checkpoints.full_model import read_full_model
from nnunet_vit.errors import ConfigError, MachineError, ModelError
from nnunet_vit.nnunet.folders import claim
from nnunet_vit.report.progress import Progress
from nnunet_vit.sharing.install_model import Request, install

pytestmark = pytest.mark.unit


def test_the_weights_are_those_that_were_exported(bundle, model, tmp_path):
    folder = installed(bundle, tmp_path / "a/new/results")
    assert folder.relative_to(tmp_path / "a/new/results").parts == (
        "Dataset005_Disc", model.name,
    )  # fmt: skip
    assert same_weights(weights_of(folder), weights_of(model))
    files = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    assert files == [
        "MODEL_CARD.md", "dataset.json", *(f"fold_{n}/checkpoint_final.pth" for n in range(3)),
        "installed.json", "plans.json",
    ]  # fmt: skip


def test_checkpoints_are_as_stock_nnunet_wants_them(bundle, tmp_path):
    content = read_full_model(installed(bundle, tmp_path) / "fold_2/checkpoint_final.pth")
    del content["network_weights"]
    assert content == {
        "trainer_name": "nnUNetTrainer",
        "init_args": {"configuration": "2d", "fold": 2},
        "inference_allowed_mirroring_axes": (0, 1),
        "current_epoch": 3,
    }


def test_an_installed_model_exports_as_it_came(bundle, tmp_path):
    again = exported(installed(bundle, tmp_path), tmp_path / "again.zip")
    assert again.read_bytes() == bundle.read_bytes()


def test_the_same_model_again(bundle, tmp_path):
    request = Request(tmp_path)
    first = install(bundle, request, Progress())
    before = everything_in(tmp_path)
    again = install(bundle, request, Progress())
    assert (first.was_there, again.was_there) == (False, True)
    assert again.folder == first.folder and everything_in(tmp_path) == before
    assert again.as_text().startswith(f"Installed already: {first.folder}\nPredict with: vit_cli ")


def test_one_that_has_changed_is_installed_again_on_request(bundle, tmp_path):
    folder = installed(bundle, tmp_path)
    file = folder / "fold_1/checkpoint_final.pth"
    intact = file.read_bytes()
    file.write_bytes(intact[:-1] + b"x")
    with pytest.raises(ConfigError, match="its files have changed since it was installed"):
        installed(bundle, tmp_path)
    installed(bundle, tmp_path, overwrite=True)
    assert file.read_bytes() == intact
    assert os.listdir(folder.parent) == [folder.name]


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_model_that_was_trained_here_stays(bundle, model, tmp_path, overwrite):
    target = tmp_path / "Dataset005_Disc" / model.name
    shutil.copytree(model, target)
    before = everything_in(tmp_path)
    with pytest.raises(ConfigError) as caught:
        installed(bundle, tmp_path, overwrite=overwrite)
    assert str(caught.value) == (
        f"{target} is there already, and is a model that was trained here, with 3 folds, which "
        "install never replaces. Fix: --results with another folder; or move it away."
    )
    assert everything_in(tmp_path) == before


def test_a_model_that_somebody_works_in_is_not_replaced(bundle, tmp_path):
    target = installed(bundle, tmp_path)
    held = claim(target / "fold_0")
    other = subprocess_installs(bundle, tmp_path)
    held.close()
    assert "is being trained in by process" in other
    assert (target / "fold_0/checkpoint_final.pth").is_file()


def subprocess_installs(bundle, results):
    """Return what another process says: a lock is no obstacle to the process that holds it."""
    import subprocess
    import sys

    words = ["install", str(bundle), "--results", str(results), "--overwrite"]
    command = [sys.executable, "-m", "nnunet_vit", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False).stderr


def test_another_bundle_of_that_name(bundle, model, tmp_path):
    folder = installed(bundle, tmp_path)
    one = exported(model, tmp_path / "one.zip", folds=["0"])
    with pytest.raises(ConfigError, match="is there already, and is another bundle's model"):
        installed(one, tmp_path)
    installed(one, tmp_path, overwrite=True)
    assert not (folder / "fold_1").exists()


def test_a_file_in_the_way(bundle, tmp_path):
    (tmp_path / "Dataset005_Disc").write_text("x")
    with pytest.raises(MachineError, match="Dataset005_Disc is a file"):
        installed(bundle, tmp_path)


def test_a_disk_that_refuses_leaves_nothing(bundle, tmp_path, monkeypatch):
    from nnunet_vit.sharing import bundle_weights

    def full(*_, **__):
        raise MachineError("the disk is full")

    monkeypatch.setattr(bundle_weights, "write_fold", full)
    with pytest.raises(MachineError):
        installed(bundle, tmp_path / "new/results")
    assert list(tmp_path.iterdir()) == []


def test_two_datasets_of_one_number_are_told_apart(bundle, tmp_path):
    (tmp_path / "Dataset005_Other").mkdir()
    lines = []
    progress = Progress()
    progress.log = lines.append
    install(bundle, Request(tmp_path), progress)
    assert lines == [
        f"{tmp_path} holds Dataset005_Other too: nnU-Net's own commands need -d Dataset005_Disc "
        "in full."
    ]


def test_another_version_of_its_head_is_said(small_bundle, tmp_path):
    manifest = json.loads(contents(small_bundle)["manifest.json"])
    manifest["packages"]["head"]["version"] = "0.0.9"
    other = repacked(
        small_bundle, tmp_path / "o.zip", {"manifest.json": json.dumps(manifest).encode()}
    )
    lines = []
    progress = Progress()
    progress.log = lines.append
    install(other, Request(tmp_path / "results"), progress)
    (line,) = lines
    assert line.startswith("The model was trained with nnunet-vit-linear 0.0.9; 0.1.0 is inst")


def test_a_zip_that_another_program_has_packed(bundle, tmp_path):
    """Folders' entries, compressed texts and zip64 are no reason to refuse."""
    packed = tmp_path / "packed.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("weights/", b"")
        for name, content in contents(bundle).items():
            entry = zipfile.ZipInfo(name)
            stored = name.endswith(".safetensors")
            entry.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
            with archive.open(entry, "w", force_zip64=True) as file:
                file.write(content)
    assert installed(packed, tmp_path / "results").is_dir()


@pytest.mark.parametrize("name", ["lora", "frozen"])
def test_what_was_trained_alone_is_joined_with_its_base(name, tmp_path):
    model = unfinished_model(name)
    bundle = exported(model, tmp_path / "a.zip", checkpoint="latest", adapters_only=True)
    whole = exported(model, tmp_path / "w.zip", checkpoint="latest", base=WEIGHTS)
    with pytest.raises(ModelError) as caught:
        installed(bundle, tmp_path / "results")
    assert "without the pretrained weights (weights.safetensors, " in caught.value.problem
    assert caught.value.fix.startswith("--pretrained-weights FILE")
    assert not (tmp_path / "results").exists()
    other = tmp_path / "other.safetensors"
    shutil.copy(stored_model("full", tmp_path / "m") / "plans.json", other)
    with pytest.raises(ModelError):
        installed(bundle, tmp_path / "results", base=other)
    assert not (tmp_path / "results").exists()
    folder = installed(bundle, tmp_path / "results", base=WEIGHTS)
    expected = installed(whole, tmp_path / "expected")
    assert same_weights(weights_of(folder), weights_of(expected))
    assert bundle.stat().st_size < whole.stat().st_size


def test_nothing_can_be_left_out(model, tmp_path):
    with pytest.raises(ModelError, match="has no small checkpoint, only the whole model"):
        exported(model, tmp_path / "a.zip", adapters_only=True)
    full = unfinished_model("full")
    with pytest.raises(ModelError, match="nothing can be left out"):
        exported(full, tmp_path / "a.zip", checkpoint="latest", adapters_only=True)
    assert list(tmp_path.iterdir()) == []
