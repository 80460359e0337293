"""The resolved run as a file that loads to an equal run."""

from pathlib import Path

import pytest

from nnunet_vit import __version__
from nnunet_vit.config.dump import run_as_yaml, write_run
from nnunet_vit.config.load import load_run
from nnunet_vit.errors import MachineError

pytestmark = pytest.mark.unit

FULL = """
data: {dataset: Dataset502_é, configuration: 'no', fold: all}
paths: {raw: "a: b # c", preprocessed: "012", results: ./x}
model:
  head: tiny
  backbone: dinov2
  input_mean: [0.5, 1]
  input_std: [1.5e-3, 2]
  decoder: {channels: [5]}
lora: {r: 4, target_modules: [qkv, "null", "2024-01-01"]}
train: {weight_decay: 3e-5, patch_size: [224, 448], seed: 7}
"""


def test_keys_stand_in_the_models_order(run_of):
    lines = run_as_yaml(run_of("model: {head: tiny}\n")).splitlines()
    assert lines[:12] == [
        f"# Written by nnunet-vit {__version__}: the whole run, defaults included.",
        "recipe: 2",
        "data:",
        "  dataset: null",
        "  configuration: 2d",
        "  fold: 0",
        "  groups: null",
        "  stratify: false",
        "  splits: null",
        "paths:",
        "  raw: null",
        "  preprocessed: null",
    ]
    assert "    dropout: 0.1" in lines
    assert not any("hidden_size" in line for line in lines)


@pytest.mark.parametrize("text", ["train: {}\n", FULL, "model: {backbone: timm:vit_x}\n"])
def test_round_trip(run_of, run_folder, text):
    run = run_of(text)
    (run_folder / "elsewhere").mkdir()
    path = run_folder / "elsewhere" / "run.yaml"
    write_run(run, path)
    assert path.read_text(encoding="utf-8") == run_as_yaml(run)
    assert load_run(path) == run
    assert run_as_yaml(load_run(path)) == run_as_yaml(run)


def test_a_run_that_cannot_be_written(run_of):
    with pytest.raises(MachineError) as caught:
        write_run(run_of("train: {}\n"), Path("nowhere/run.yaml"))
    assert str(caught.value) == (
        "nowhere/run.yaml: cannot be written: No such file or directory. "
        "Fix: make its folder, or make room in it and allow writing to it."
    )


def test_a_failed_write_leaves_the_old_file(run_of, run_folder, monkeypatch):
    run = run_of("train: {}\n")
    path = run_folder / "old.yaml"
    path.write_text("old")

    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("nnunet_vit.files.writing.os.fsync", refuse)
    with pytest.raises(MachineError):
        write_run(run, path)
    assert sorted(file.name for file in run_folder.iterdir()) == ["old.yaml", "run.yaml"]
    assert path.read_text() == "old"
