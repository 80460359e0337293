"""vit_cli describe: with and without a dataset, for people and for programs, and its errors."""

import json
import sys
from pathlib import Path

import pytest
from small_plans import CONFIGURATION, plans_of

pytestmark = pytest.mark.unit

RUN = "model: {head: linear, backbone: 'timm:test_vit'}\ntrain: {batch_size: 2}\n"
SCHEMES = ["RGBTo01Normalization", "CTNormalization"]
LOOKS_AT_VALUES = """
from nnunet_vit.hookspecs import hookimpl
from torch import nn

class Head(nn.Module):
    def __init__(self, backbone, num_classes):
        super().__init__()
        self.backbone, self.last = backbone, nn.Conv2d(backbone.embed_dim, num_classes, 1)

    def forward(self, images):
        if images.max().item() > 1e9:
            raise ValueError
        return nn.functional.interpolate(self.last(self.backbone(images)), images.shape[-2:])

@hookimpl
def create_segmentation_model(backbone, num_classes): return Head(backbone, num_classes)
"""


@pytest.fixture(autouse=True)
def run_file(monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    Path("run.yaml").write_text(RUN)


@pytest.fixture
def dataset(tmp_path, monkeypatch):
    """Raw Dataset007_Mine with two channels and regions; `plans` writes nnU-Net's plans of it."""
    for name in ("raw", "preprocessed", "results"):
        monkeypatch.setenv(f"nnUNet_{name}", str(tmp_path / name))
        (tmp_path / name / "Dataset007_Mine").mkdir(parents=True)
    raw = tmp_path / "raw" / "Dataset007_Mine"
    for folder, file in (("imagesTr", "a_0000.png"), ("labelsTr", "a.png")):
        (raw / folder).mkdir()
        (raw / folder / file).touch()
    description = {
        "channel_names": {"0": "rgb_to_0_1", "1": "CT"},
        "labels": {"background": 0, "whole": [1, 2], "core": [2]},
        "regions_class_order": [1, 2],
        "numTraining": 1,
        "file_ending": ".png",
    }
    (raw / "dataset.json").write_text(json.dumps(description))

    def plans(**configurations):
        fixed = {**CONFIGURATION, "normalization_schemes": SCHEMES}
        whole = {name: {**fixed, **sizes} for name, sizes in configurations.items()}
        text = json.dumps(plans_of("Dataset007_Mine", **whole))
        (tmp_path / "preprocessed" / raw.name / "nnUNetPlans.json").write_text(text)

    return plans


def test_without_a_dataset(vit_cli):
    code, out, err = vit_cli("describe", "run.yaml")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "run.yaml: head linear on timm:test_vit, tuning full"
    assert 25 <= len(lines) <= 45
    assert [line.removeprefix("note       ") for line in lines[-3:]] == [
        "No dataset is named. Assumed: 3 channels in 0 to 1, a background and one class.",
        "`vit_cli train` plans train.patch_size; `vit_cli plan` shows how.",
        "Without plans of nnU-Net assumed: 512 x 512 pixels.",
    ]
    assert "images     512 x 512 pixels, 2 per step" in lines
    assert "memory of a training step on cuda, bfloat16" in lines
    assert any(line.startswith("licence    apache-2.0") for line in lines)


def test_as_json_with_plans(vit_cli, dataset):
    dataset(**{"2d": {"patch_size": [90, 64], "batch_size": 6}})
    code, out, err = vit_cli(
        "describe", "run.yaml", "7", "--json", "--set", "train.batch_size=null"
    )
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert found["dataset"] == "Dataset007_Mine"
    assert (found["image_size"], found["batch_size"], found["outputs"]) == ([96, 64], 6, 2)
    assert found["channels"] == [
        {"name": "rgb_to_0_1", "scheme": "RGBTo01Normalization", "mean": 0.5, "std": 0.5},
        {"name": "CT", "scheme": "CTNormalization", "mean": 0.0, "std": 1.0},
    ]
    assert found["statistics_from"] == "the weights test_vit"
    assert found["notes"] == [
        "`vit_cli train` plans train.patch_size and train.batch_size; `vit_cli plan` shows how.",
        "Patch size 96 x 64: the planned 90 x 64, up to the next multiple of the ViT's patch, 16.",
    ]
    parts = {part["name"]: part for part in found["parts"]}
    assert found["memory"]["parameters"] == pytest.approx(
        4 * (parts["backbone"]["parameters"] + parts["head"]["parameters"]), rel=0.01
    )
    assert found["cost"]["step_flops"] > 6 * 2.5 * found["cost"]["forward_flops"]


def test_the_devices_differ(vit_cli):
    costs = {}
    for device in ("cpu", "cuda"):
        _, out, _ = vit_cli("describe", "run.yaml", "--json", "--device", device)
        costs[device] = json.loads(out)
    assert [costs[device]["precision"] for device in costs] == ["float32", "bfloat16"]
    kept = [costs[device]["cost"]["backbone_activations"] for device in costs]
    assert kept[0] > 1.4 * kept[1]


def test_a_head_that_looks_at_values(vit_cli, only_fakes, fake_head):
    fake_head("curious", LOOKS_AT_VALUES)
    code, out, err = vit_cli("describe", "run.yaml", "--set", "model.head=curious")
    assert (code, err) == (0, "")
    assert "\nnote       The step's cost cannot be measured: DataDependentOutputException: " in out
    assert "total" in out
    assert "memory" not in out


def test_no_weights_are_read(vit_cli):
    Path("weights.pth").write_text("no weights at all")
    chosen = "model.checkpoint_path=weights.pth"
    code, out, err = vit_cli("describe", "run.yaml", "--json", "--set", chosen)
    assert (code, err) == (0, "")
    weights = json.loads(out)["weights"]
    assert weights["source"] == str(Path("weights.pth").absolute())
    assert weights["licence"].startswith("the file's own (test_vit: ")
    _, out, _ = vit_cli("describe", "run.yaml", "--json", "--set", "model.pretrained=false")
    assert json.loads(out)["weights"]["source"] == "none: random weights"


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (
            ("none.yaml",),
            2,
            "error[config]: none.yaml: no such file. Fix: give the path of a run file.",
        ),
        (
            ("run.yaml", "--device", "tpu"),
            2,
            "error[config]: --device tpu is unknown; allowed: cuda, cuda:NUMBER, mps, cpu.",
        ),
        (
            ("run.yaml", "--set", "train.patch_size=[100, 64]"),
            2,
            "error[config]: train.patch_size [100, 64] is not a multiple of the patch of test_vit, "
            "16 pixels. Fix: train.patch_size: [96, 64]",
        ),
        (
            ("run.yaml", "7", "--set", "train.loss={class_weights: {cor: 2}}"),
            2,
            "error[config]: run.yaml, --set train.loss={class_weights: {cor: 2}}, "
            "train.loss.class_weights: given 'cor'; the dataset has no such class. Did you mean "
            "'core'? Allowed: whole, core",
        ),
        (
            ("run.yaml", "7", "3d_fullres"),
            2,
            "error[config]: data.configuration: the plans have no configuration '3d_fullres'; they "
            "have: 2d.",
        ),
    ],
)
def test_errors(vit_cli, dataset, words, code, text):
    dataset(**{"2d": {"patch_size": [64, 64], "batch_size": 6}})
    assert vit_cli("describe", *words) == (code, "", f"{text}\n")


def test_an_unknown_timm_model(vit_cli):
    code, out, err = vit_cli("describe", "run.yaml", "--set", "model.backbone=timm:vit_nonsense")
    assert (code, out) == (2, "")
    assert err.startswith("error[config]: model.backbone: timm has no model 'vit_nonsense'.")


def test_a_dataset_that_is_not_there(vit_cli, dataset, tmp_path):
    code, out, err = vit_cli("describe", "run.yaml", "8", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["notes"][0] == (
        f"Dataset '8' is neither in {tmp_path / 'raw'} nor in {tmp_path / 'preprocessed'}. There: "
        "Dataset007_Mine. Assumed: 3 channels in 0 to 1, a background and one class."
    )
