"""A run of ours and a run of nnU-Net in plain words."""

import json
import shutil

import pytest

from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.evaluation.reporting.environment import environment_of
from nnunet_vit.evaluation.reporting.run_facts import facts_of
from nnunet_vit.evaluation.reporting.run_source import open_source

pytestmark = pytest.mark.unit
RUN = {
    "data": {"dataset": 5, "configuration": "2d", "fold": 0},
    "model": {"head": "segformer", "backbone": "dinov3", "backbone_size": "base"},
    "lora": {"enabled": True},
    "train": {"num_epochs": 30, "num_iterations_per_epoch": 100, "seed": 7},
}


@pytest.fixture
def ours(model_run):
    """A model folder whose plans hold a run."""
    folder = model_run("nnUNetTrainer_vit__segformer-dinov3-base-lora-0123abcd__2d")
    plans = json.loads((folder / "plans.json").read_text())
    run = ViTnnUNetConfig.model_validate(RUN).model_dump(mode="json", exclude={"paths"})
    plans["nnunet_vit"] = {"version": "0.1.0", "run": run}
    (folder / "plans.json").write_text(json.dumps(plans))
    return folder


def facts(path, folds=None):
    return facts_of(open_source(path, folds, None))


def test_a_run_of_ours(ours):
    found = facts(ours)
    assert found.title == "segformer on dinov3 base"
    assert found.words == (
        "The head segformer on the backbone dinov3 base from published weights, trained on "
        "Dataset005_Eyes (2d) for 30 epochs, 3000 steps, with tuning lora. Folds 0, 1: 8 cases, "
        "each predicted by the model that did not see it."
    )
    assert dict(found.facts)["Epochs"] == "30, each of 100 steps"
    assert dict(found.facts)["Run"] == "segformer-dinov3-base-lora-0123abcd__2d"
    assert dict(found.facts)["Time of all epochs"] == "15 s"
    assert list(found.commands) == ["vit_cli train 5 2d --folds 0 1 --config run.yaml"]
    assert "backbone: dinov3" in found.run_file and "num_epochs: 30" in found.run_file


def test_the_run_file_of_the_fold_is_shown_as_it_is(ours):
    (ours / "fold_1/run.yaml").write_text("# mine\nmodel: {head: segformer}\n")
    assert facts(ours).run_file == "# mine\nmodel: {head: segformer}\n"
    found = facts(ours, [1])
    assert list(found.commands) == ["vit_cli train 5 2d 1 --config run.yaml"]


def test_a_run_of_nnunet(model_run):
    found = facts(model_run())
    assert found.title == "nnUNetTrainer, nnUNetPlans"
    assert found.words.startswith(
        "nnU-Net's nnUNetTrainer with the plans nnUNetPlans on Dataset005"
    )
    assert dict(found.facts)["Patch"] == "24 x 30 pixels"
    assert found.run_file == ""


@pytest.mark.parametrize("content", [{"patch_size": 5, "architecture": "x"}, [], {"2d": 3}])
def test_sizes_that_are_none_are_not_told(model_run, content):
    folder = model_run()
    plans = {"dataset_name": "Dataset005_Eyes", "configurations": {"2d": content}}
    (folder / "plans.json").write_text(json.dumps(plans))
    found = dict(facts(folder).facts)
    assert found["Configuration"] == "2d" and "Patch" not in found and "Network" not in found


def test_masks_beside_the_plans_of_a_run_are_masks(ours):
    masks = ours.parent / "ensembles/two"
    shutil.copytree(ours / "fold_0/validation", masks)
    for file in ours.glob("*.json"):
        shutil.copy(file, masks)
    found = facts(masks)
    assert (found.title, found.run_file, list(found.commands)) == ("two", "", [])
    assert found.words == f"A folder of masks. 4 cases, whose masks lie in {masks}."
    assert found.facts == [("Dataset", "Dataset005_Eyes")]


def write_state(fold, epoch, **state):
    folder = fold / f"ckpt/epoch_{epoch:05}"
    folder.mkdir(parents=True)
    (folder / "state.json").write_text(json.dumps({"state": state}))


def test_the_environment_of_the_newest_checkpoint(ours):
    file = {"name": "own.pth", "bytes": 9, "sha256": "0123456789abcdef"}
    none = {"file": None, "published": []}
    write_state(ours / "fold_0", 1, versions={"torch": "2.10"}, base=none)
    write_state(ours / "fold_0", 2, versions={"torch": "2.11"}, base={**none, "file": file})
    write_state(ours / "fold_1", 2, versions={"torch": "2.12"}, base={**none, "file": file})
    (ours / "fold_0/debug.json").write_text('{"gpu_name": "H200", "cudnn_version": "None"}')
    found = dict(environment_of([ours / "fold_0", ours / "fold_1"]))
    assert found == {
        "GPU": "H200",
        "torch": "fold 0: 2.11; fold 1: 2.12",
        "weights": "own.pth, sha256 0123456789ab…",
    }


@pytest.mark.parametrize("text", ["", "[]", '{"state": 3}', '{"state": {"versions": []}}'])
def test_a_damaged_checkpoint_tells_nothing(ours, text):
    write_state(ours / "fold_0", 1)
    (ours / "fold_0/ckpt/epoch_00001/state.json").write_text(text)
    (ours / "fold_0/debug.json").write_text(text)
    assert environment_of([ours / "fold_0"]) == []


def test_published_weights_are_named(ours):
    origin = {"repository": "timm/vit", "file": "m.safetensors", "commit": "c", "sha256": "ab" * 32}
    write_state(ours / "fold_0", 1, versions={}, base={"file": None, "published": [origin]})
    found = dict(environment_of([ours / "fold_0"]))
    assert found == {"weights": "timm/vit/m.safetensors, sha256 abababababab…"}
