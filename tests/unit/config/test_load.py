"""A valid file: the first plan's, the default one, paths, aliases, modules."""

import subprocess
import sys
from pathlib import Path

import pytest
from first_plan import FIRST_PLAN

from nnunet_vit.config.load import load_run

pytestmark = pytest.mark.unit

MODULE = """
def create_segmentation_model(backbone_name, num_classes, decoder_hidden_size): ...
"""


def test_the_first_plans_file(run_of):
    run = run_of(FIRST_PLAN)
    assert (run.model.head, run.model.model_path) == ("segformer", None)
    assert (run.model.backbone, run.model.backbone_size) == ("dinov3", "large")
    assert (run.model.checkpoint_path, run.model.pretrained) == ("", True)
    assert run.model.decoder.model_dump() == {"hidden_size": 256}
    assert run.lora.model_dump() == {
        "enabled": True,
        "r": 8,
        "lora_alpha": 16.0,
        "target_modules": ["qkv"],
        "lora_dropout": 0.05,
    }
    assert (run.train.initial_lr, run.train.weight_decay) == (0.001, 0.00003)
    assert (run.train.gradient_clip, run.train.num_epochs) == (12.0, 1000)


def test_the_old_module_path_needs_the_head(faults_of, monkeypatch):
    from nnunet_vit.registry import catalogue

    monkeypatch.setattr(catalogue, "entry_points", lambda group: [])
    assert faults_of("model:\n  model_path: nnunetv2.model.model_segformer_1\n") == (
        "run.yaml, line 2, model.model_path: Unknown head 'segformer'. Installed: none. "
        "Fix: choose an installed head (`vit_cli list-models` shows them), or install the package "
        "that brings 'segformer'."
    )


def test_defaults_are_filled_in(run_of):
    run = run_of("train: {}\n")
    assert (run.model.head, run.model.backbone_size, run.lora.enabled) == (
        "segformer",
        "large",
        False,
    )
    assert run_of("lora: {}\n").lora.enabled is True


def test_a_timm_backbone_has_no_size(run_of):
    run = run_of("model: {backbone: timm:vit_tiny_patch16_224}\ntrain: {patch_size: [30, 30]}\n")
    assert (run.model.backbone, run.model.backbone_size) == ("timm:vit_tiny_patch16_224", None)


def test_numbers_as_people_write_them(run_of):
    train = run_of("train: {initial_lr: 1e-3, gradient_clip: 12}\n").train
    assert (train.initial_lr, train.gradient_clip) == (0.001, 12.0)


def test_a_module_of_ones_own(run_of, run_folder, monkeypatch):
    (run_folder / "config_test_model.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(run_folder))
    model = run_of("model: {model_path: config_test_model, decoder: {hidden_size: 64}}\n").model
    assert (model.head, model.model_path) == (None, "config_test_model")
    assert model.decoder.model_dump() == {"hidden_size": 64}
    monkeypatch.delitem(sys.modules, "config_test_model")


def test_relative_paths_start_at_the_files_folder(run_folder, monkeypatch):
    folder = run_folder / "a folder é"
    (folder / "weights").mkdir(parents=True)
    (folder / "weights" / "w.pth").touch()
    (folder / "run.yaml").write_text(
        "model: {checkpoint_path: weights/w.pth}\n"
        "paths: {raw: data/$RAW, preprocessed: ~/pre, results: /r}\n"
    )
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.setenv("RAW", "expanded")
    monkeypatch.chdir(folder.parent)
    for path in (folder / "run.yaml", Path("a folder é/run.yaml")):
        run = load_run(path)
        assert run.model.checkpoint_path == str(folder / "weights" / "w.pth")
        assert run.paths.model_dump() == {
            "raw": str(folder / "data" / "$RAW"),
            "preprocessed": "/home/somebody/pre",
            "results": "/r",
        }


def test_the_configuration_costs_no_heavy_import():
    names = ["load", "dump", "models", "head_options", "checks", "yaml_source", "problems"]
    imports = "\n".join(f"import nnunet_vit.config.{name}" for name in names)
    heavy = {"torch", "timm", "numpy", "nnunetv2", "peft", "ruamel.yaml"}
    code = f"{imports}\nimport sys\nprint(sorted({heavy} & set(sys.modules)))"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout == "[]\n"
