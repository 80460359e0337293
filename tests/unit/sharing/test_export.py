"""What is in a bundle, and that nothing of the exporter's machine is."""

import hashlib
import json
import zipfile
from pathlib import Path

import pytest
from safetensors.torch import load
from shared_models import (
    DICE,
    contents,
    everything_in,
    exported,
    stored_model,
    unfinished_model,
    weights_of,
    write_summaries,
)

from nnunet_vit.errors import ConfigError, MachineError, ModelError
from nnunet_vit.inference.model_folder import open_model
from nnunet_vit.report.progress import Progress
from nnunet_vit.sharing.bundle_format import manifest_from
from nnunet_vit.sharing.export_source import Source
from nnunet_vit.sharing.export_zip import check_zip_path, export_zip
from nnunet_vit.sharing.model_card import card_of

pytestmark = pytest.mark.unit
SHARED = "weights/shared.safetensors"
FOLDS = [f"weights/fold_{fold}.safetensors" for fold in range(3)]


def test_a_bundle_holds_what_prediction_needs_and_no_more(bundle):
    entries = contents(bundle)
    assert list(entries) == [
        "manifest.json", "MODEL_CARD.md", "dataset.json", "plans.json", *FOLDS, SHARED,
    ]  # fmt: skip
    with zipfile.ZipFile(bundle) as archive:
        for entry in archive.infolist():
            assert entry.compress_type == zipfile.ZIP_STORED
            assert entry.date_time == (1980, 1, 1, 0, 0, 0)
            assert entry.external_attr == 0o100644 << 16


def test_the_manifest_says_all_of_it(bundle, model):
    entries = contents(bundle)
    manifest = json.loads(entries["manifest.json"])
    files = {name: content for name, content in entries.items() if name != "manifest.json"}
    assert manifest.pop("files") == {
        name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in files.items()
    }
    assert manifest == {
        "format": "nnunet-vit model",
        "schema": 1,
        "dataset": "Dataset005_Disc",
        "trainer": "nnUNetTrainer_vit",
        "plans": open_model(model).plans["plans_name"],
        "configuration": "2d",
        "checkpoint": "final",
        "weights": "whole",
        "folds": {fold: {"mirroring_axes": [0, 1], "epochs": 3} for fold in "012"},
        "pretrained": None,
        "packages": {"head": {"distribution": "nnunet-vit-segformer", "version": "0.1.0"}},
        "versions": {"nnunet-vit": "0.1.0"},
        "validation": {
            "folds": ["0", "1", "2"],
            "cases": 6,
            "mean_dice": sum(DICE) / 2,
            "dice": {"disc": sum(DICE) / 2},
        },
    }


def test_tensors_of_all_folds_are_stored_once(bundle, model):
    entries, wanted = contents(bundle), weights_of(model)
    shared = load(entries[SHARED])
    own = [load(entries[name]) for name in FOLDS]
    assert [len(tensors) for tensors in own] == [1, 1, 1]
    for fold, tensors in zip(wanted.values(), own, strict=True):
        state = shared | tensors
        assert set(state) == set(fold) and not set(shared) & set(tensors)
        assert all(state[name].numpy().tobytes() == fold[name].numpy().tobytes() for name in fold)


def test_zeros_of_both_signs_are_not_alike(tmp_path):
    model = open_model(stored_model("full", tmp_path, folds=2))
    content = Source(model.path, None, "final", None).content(Progress())
    first, second = (fold.weights for fold in content.folds.values())
    name = next(name for name in first if first[name].ndim == 1 and name in content.shared())
    first[name], second[name] = first[name] * 0.0, first[name] * -0.0
    second[name] = -first[name].abs()
    assert (first[name] == second[name]).all()
    assert name not in content.shared()


def test_the_same_model_is_the_same_bytes(bundle, model, tmp_path):
    again = exported(model, tmp_path / "again.zip")
    assert again.read_bytes() == bundle.read_bytes()
    elsewhere = stored_model("frozen", tmp_path / "elsewhere", folds=3)
    write_summaries(elsewhere)
    moved = exported(elsewhere, tmp_path / "other name.zip")
    assert moved.read_bytes() == bundle.read_bytes()


def test_nothing_of_this_machine_travels(tmp_path):
    model = stored_model("lora", tmp_path / "jane_doe")
    write_summaries(model)
    description = json.loads((model / "dataset.json").read_text())
    description |= {"dataset": {"case_1": {"images": [f"{tmp_path}/1.png"], "label": "/a/b"}}}
    description["reference"] = f"{tmp_path}/notes.txt"
    (model / "dataset.json").write_text(json.dumps(description))
    whole = b"\n".join(contents(exported(model, tmp_path / "model.zip")).values()).lower()
    original = json.loads((model / "plans.json").read_text())
    path = original["nnunet_vit"]["run"]["model"]["checkpoint_path"]
    assert Path(path).is_absolute()
    for secret in (str(tmp_path), str(Path(path).parent), "jane_doe", "case_1", "secret",
                   str(Path.home())):  # fmt: skip
        assert secret.lower().encode() not in whole, secret


def test_the_card(bundle):
    card = contents(bundle)["MODEL_CARD.md"].decode()
    assert card.startswith("---\nlibrary_name: nnunet-vit\n")
    for line in (
        "- Dataset: Dataset005_Disc, 6 training cases",
        "- Channels of an image: R, G, B",
        "- Labels: background (0), disc (1)",
        "- Spacing it was trained at: 1 x 1",
        "Dice on the 6 validation cases of fold 0, 1, 2, by nnU-Net's summary.json: the mean over "
        "the cases, then over the classes.",
        "| disc | 0.8000 |",
        "| mean | 0.8000 |",
        "- Head: segformer",
        "- Backbone: timm:vit_tiny_patch16_224",
        "- Fine-tuning: frozen",
        "- Folds: 0, 1, 2; checkpoint: final",
        "- Epochs: 3 of 3",
        "- Started from: weights.safetensors",
        "- Licence: the file's own (vit_tiny_patch16_224: apache-2.0). It may bind this model too.",
        "pip install nnunet-vit nnunet-vit-segformer",
    ):
        assert line in card.splitlines(), line


def test_names_of_a_dataset_are_text_in_the_card(tmp_path):
    model = stored_model("full", tmp_path)
    description = json.loads((model / "dataset.json").read_text())
    description["labels"] = {"background": 0, "<b>disc</b>|\n# x": 1}
    (model / "dataset.json").write_text(json.dumps(description))
    card = contents(exported(model, tmp_path / "model.zip"))["MODEL_CARD.md"].decode()
    assert r"- Labels: background (0), \<b\>disc\</b\>\| \# x (1)" in card.splitlines()


def test_figures_are_those_of_what_was_validated(tmp_path):
    """Validation is of the final model: its figures say nothing of the best checkpoint's."""
    unfinished = unfinished_model("full")
    latest = contents(exported(unfinished, tmp_path / "latest.zip", checkpoint="latest"))
    manifest = json.loads(latest["manifest.json"])
    assert manifest["validation"] is None and manifest["checkpoint"] == "latest"
    assert "No validation of these folds came with the model." in latest["MODEL_CARD.md"].decode()
    assert set(manifest["versions"]) == {
        "python", "torch", "timm", "peft", "nnunetv2", "nnunet-vit",
    }  # fmt: skip


def test_some_folds(model, tmp_path):
    entries = contents(exported(model, tmp_path / "one.zip", folds=["1"]))
    assert list(entries)[-1] == FOLDS[1] and SHARED not in entries
    manifest = json.loads(entries["manifest.json"])
    assert list(manifest["folds"]) == ["1"] and manifest["validation"]["cases"] == 2
    with pytest.raises(ModelError, match="has no final checkpoint of fold 7"):
        exported(model, tmp_path / "other.zip", folds=["7"])


@pytest.mark.parametrize("name", ["model", "model.tar", "folder.zip"])
def test_a_name_that_is_no_zips(tmp_path, name):
    (tmp_path / "folder.zip").mkdir()
    with pytest.raises(ConfigError, match=r"does not end with \.zip|is a folder") as caught:
        check_zip_path(tmp_path / name)
    assert caught.value.fix.endswith(".zip")


def test_a_disk_that_refuses_keeps_the_older_file(model, tmp_path, monkeypatch):
    from nnunet_vit.sharing import deterministic_zip

    older = tmp_path / "model.zip"
    older.write_text("older")
    content = Source(model, None, "final", None).content(Progress())
    before = everything_in(tmp_path)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(deterministic_zip.shutil, "copyfileobj", full)
    with pytest.raises(MachineError, match="No space left on device"):
        export_zip(content, older)
    assert everything_in(tmp_path) == before and older.read_text() == "older"


@pytest.mark.parametrize(
    ("changes", "source", "licence"),
    [
        ({"pretrained": False}, "none: random weights", ""),
        ({"backbone": "retfound"}, "RETFound_mae_natureCFP, fetched by hand", "CC BY-NC 4.0"),
        ({"backbone": "dinov3"}, "fetched from timm's repositories", "DINOv3 License"),
        ({}, "fetched from timm/vit_tiny_patch16_224.augreg_in21k_ft_in1k", "apache-2.0"),
        ({"repository": "a/b"}, "fetched from a/b on the model hub", "of the weights' model card"),
    ],
)
def test_weights_and_their_licence(bundle, changes, source, licence):
    entries = contents(bundle)
    plans = json.loads(entries["plans.json"])
    plans["nnunet_vit"]["run"]["model"] |= {"checkpoint_path": "", **changes}
    manifest = manifest_from(json.loads(entries["manifest.json"]), "a test")
    card = card_of(manifest, plans, json.loads(entries["dataset.json"]))
    section = card.partition("## Pretrained weights\n")[2].partition("##")[0]
    assert f"- Started from: {source}" in section
    assert section.strip().endswith(f"- Licence: {licence}. It may bind this model too.") or (
        not licence and "Licence" not in section
    )
