"""vit_cli plan: for people, for programs, to a run file, and its errors; nnU-Net has planned."""

import json
import re
from pathlib import Path

import pytest
import torch
from small_plans import CONFIGURATION, plans_of

pytestmark = pytest.mark.unit

RUN = """\
# mine
paths: {raw: ./raw, preprocessed: ./preprocessed, results: ./results}
model: {head: linear, backbone: 'timm:test_vit'}  # a toy
train:
  num_epochs: 3
  batch_size: null  # open
"""
needs_no_gpu = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
CPU = ("--device", "cpu", "--gpu-memory", "2", "--no-probe")
TRIED = CPU[:-1]


@pytest.fixture(autouse=True)
def dataset(tmp_path, monkeypatch):
    """Dataset007_Mine with 200 raw images of 96 x 64, planned and not preprocessed."""
    for name in ("raw", "preprocessed", "results"):
        monkeypatch.setenv(f"nnUNet_{name}", str(tmp_path / name))
        (tmp_path / name / "Dataset007_Mine").mkdir(parents=True)
    raw, made = (tmp_path / name / "Dataset007_Mine" for name in ("raw", "preprocessed"))
    for folder, ending in (("imagesTr", "_0000.png"), ("labelsTr", ".png")):
        (raw / folder).mkdir()
        for number in range(200):
            (raw / folder / f"case{number}{ending}").touch()
    description = {
        "channel_names": {"0": "rgb_to_0_1"},
        "labels": {"background": 0, "cell": 1},
        "numTraining": 200,
        "file_ending": ".png",
    }
    for folder in (raw, made):
        (folder / "dataset.json").write_text(json.dumps(description))
    own = {
        **CONFIGURATION,
        "normalization_schemes": ["RGBTo01Normalization"],
        "use_mask_for_norm": [False],
        "patch_size": [96, 64],
        "median_image_size_in_voxels": [90.0, 64.0],
    }
    plans = plans_of("Dataset007_Mine", **{"2d": own})
    (made / "nnUNetPlans.json").write_text(json.dumps(plans))
    fingerprint = {"shapes_after_crop": [[1, 90, 64]] * 200, "spacings": [[999, 1, 1]] * 200}
    (made / "dataset_fingerprint.json").write_text(json.dumps(fingerprint))
    Path("run.yaml").write_text(RUN)


def test_a_run_file_becomes_a_planned_one(vit_cli):
    code, out, err = vit_cli("plan", "007", *CPU, "--config", "run.yaml", "-o", "planned.yaml")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert "dataset        Dataset007_Mine, 200 cases" in lines
    assert "memory         a CPU with 2 GB: a training step may take 1.80 GB" in lines
    # 10 of 200 images are 5 %; the planned patch is 96 rows high where the images have 90
    whole = "24 tokens hold the median image, 90 x 64 pixels"
    assert f"patch          96 x 64 pixels: {whole}" in lines
    assert any(line.startswith("batch          9: ") for line in lines)
    assert lines[-1] == "Train with: vit_cli train --config planned.yaml"
    text = Path("planned.yaml").read_text()
    assert text.startswith("# mine\npaths: {raw: ./raw,") and "# a toy" in text
    assert re.search(r"dataset: 7 +# ", text) and "; open" in text
    assert re.search(rf"patch_size: \[96, 64\] +# {whole}", text)
    assert vit_cli("validate", "planned.yaml")[0] == 0
    assert Path("run.yaml").read_text() == RUN


def test_a_cpu_is_asked_what_is_free(vit_cli, monkeypatch):
    monkeypatch.setattr("nnunet_vit.planning.memory_limit.bytes_available", lambda: 8 * 10**9)
    code, out, err = vit_cli("plan", "7", "--device", "cpu", "--config", "run.yaml")
    assert (code, err) == (0, "")
    assert "this machine's free memory: a training step may take 6.00 GB" in out
    assert "left free: 2.00 GB as a margin" in out


def test_a_planned_file_in_another_folder_has_the_same_paths(vit_cli, tmp_path):
    from nnunet_vit.config.load import load_run

    Path("other").mkdir()
    assert vit_cli("plan", "7", *CPU, "--config", "run.yaml", "-o", "other/planned.yaml")[0] == 0
    assert load_run(Path("other/planned.yaml")).paths == load_run(Path("run.yaml")).paths


def test_as_json(vit_cli):
    code, out, err = vit_cli("plan", "7", *CPU, "--config", "run.yaml", "--json")
    assert (code, err) == (0, "")
    plan = json.loads(out)
    assert plan["size"] == {"image": [90, 64], "cases": 200, "slices": 200}
    assert plan["cases_now"] == 200
    assert plan["run"] == {
        "head": "linear",
        "backbone": "timm:test_vit",
        "backbone_size": None,
        "tuning": "full",
        "recipe": 2,
        "initial_lr": 0.001,
        "backbone_lr": 0.0001,
        "precision": "float32",
        "patch_size": [96, 64],
        "tokens": 24,
        "batch_size": 9,
        "gradient_checkpointing": False,
    }
    assert plan["memory"]["sum"] == sum(plan["memory"].values()) - plan["memory"]["sum"]
    assert [value["key"] for value in plan["planned"]] == [
        "model.precision",
        "model.tuning",
        "train.patch_size",
        "train.batch_size",
        "train.gradient_checkpointing",
    ]
    assert all(value["reason"] for value in plan["planned"])


def test_the_memory_is_that_of_describe(vit_cli):
    _, out, _ = vit_cli("plan", "7", *CPU, "--config", "run.yaml", "-o", "p.yaml", "--json")
    _, described, _ = vit_cli("describe", "p.yaml", "--device", "cpu", "--json")
    plan, description = json.loads(out), json.loads(described)
    del plan["memory"]["sum"]
    assert plan["memory"] == description["memory"]
    assert plan["step_flops"] == description["cost"]["step_flops"]


def test_a_new_run_file(vit_cli):
    code, _, err = vit_cli("plan", "Dataset007_Mine", "--gpu-memory", "24", "-o", "new.yaml")
    assert (code, err) == (0, "")
    text = Path("new.yaml").read_text()
    assert 'dataset: "Dataset007_Mine"' in text
    assert "backbone_size: large  # the default, which fits" in text
    assert vit_cli("validate", "new.yaml")[0] == 0


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--config", "run.yaml"], 2, "Fix: --gpu-memory 24: the GB of the GPU"),
        (["--gpu-memory", "nan"], 2, "--gpu-memory nan: allowed: 0.1 to 10000, in GB."),
        (["--gpu-memory", "1"], 2, "software takes 1.00 GB and 100.0 MB are left free"),
        (["--gpu-memory", "8", "--device", "tpu"], 2, "--device tpu is unknown"),
        ([*CPU, "-o", "run.yaml"], 2, "-o run.yaml is there already. Fix: --overwrite"),
        ([*CPU, "-o", "no/run.yaml"], 2, "there is no folder no."),
        ([*CPU, "-o", "."], 2, "-o . is a folder."),
        ([*CPU, "--config", "none.yaml"], 2, "none.yaml: no such file"),
        ([*TRIED, "--hours", "nan"], 2, "--hours nan: allowed: 0.01 to 10000."),
        ([*TRIED, "--hours", "0"], 2, "--hours 0: allowed: 0.01 to 10000."),
        (["--gpu-memory", "8", "--hours", "5"], 2, "--hours 5 needs a measured training step: "),
        (["--gpu-memory", "8", "--probe"], 2, "Fix: plan on the machine that will train"),
        ([*CPU, "--hours", "5"], 2, "a measured training step: --no-probe."),
    ],
)
def test_errors(vit_cli, words, code, said):
    found, out, err = vit_cli("plan", "7", *words)
    assert (found, out) == (code, "")
    assert said in err
    assert Path("run.yaml").read_text() == RUN


@needs_no_gpu
def test_a_dataset_that_is_not_there_is_said_before_a_gpu_that_is_not(vit_cli):
    code, out, err = vit_cli("plan", "777")
    assert (code, out) == (3, "") and "777" in err and "GPU" not in err


@needs_no_gpu
def test_a_gpu_that_is_elsewhere_is_not_tried(vit_cli):
    code, out, err = vit_cli("plan", "7", "--config", "run.yaml", "--gpu-memory", "8")
    assert (code, err) == (0, "")
    said = "Not tried: the device that is planned for is not on this machine."
    assert said in out.splitlines() and "time on this machine" not in out


@pytest.fixture
def quick(monkeypatch):
    """A probe of two steps and a few images."""
    for module in ("network_steps", "loader_speed"):
        monkeypatch.setattr(f"nnunet_vit.training.probing.{module}.ENOUGH", 0.0)


@pytest.mark.usefixtures("quick")
def test_hours_in_the_run_file(vit_cli):
    Path("open.yaml").write_text(RUN.replace("num_epochs: 3", "seed: 3") + "data: {fold: [0, 1]}\n")
    words = (*TRIED, "--config", "open.yaml", "--hours", "2000", "-o", "planned.yaml")
    code, out, err = vit_cli("plan", "7", *words, "--json")
    assert (code, err) == (0, "")
    trial = json.loads(out)["trial"]
    assert trial["hours"] == 2000 and trial["measured"]["steps"] >= 2
    assert trial["measured"]["progress_picture"] > 0
    length = trial["length"]
    assert (length["folds"], length["seconds_of_all_folds"]) == (2, 2 * length["seconds"])
    text = Path("planned.yaml").read_text()
    assert re.search(r"num_epochs: 1000 +# nnU-Net's number", text)
    assert re.search(r"num_val_iterations_per_epoch: 50 +# ", text)
    code, _, err = vit_cli("plan", "7", *TRIED, "--config", "run.yaml", "--hours", "0.01")
    assert code == 2 and "--hours 0.01: too short for a training: 3 epochs of 34 steps" in err


@pytest.mark.usefixtures("quick")
def test_a_plan_that_is_tried(vit_cli):
    code, out, err = vit_cli("plan", "7", *TRIED, "--config", "run.yaml", "--probe")
    assert (code, err) == (0, "")
    lines = out.partition("time on this machine, by ")[2].splitlines()
    assert [line[:28].strip() for line in lines[1:5]] == [
        "training step", "validation step", "epoch", "training",
    ]  # fmt: skip
    assert "250 training and 50 validation steps" in lines[3] and "3 epochs" in lines[4]
    _, out, _ = vit_cli("plan", "7", *CPU, "--config", "run.yaml")
    assert "Not tried: --no-probe." in out.splitlines()


def test_random_weights_that_are_kept_are_warned_of(vit_cli):
    kept = RUN.replace("head: linear", "head: linear, pretrained: false, tuning: frozen")
    Path("kept.yaml").write_text(kept)
    _, out, _ = vit_cli("plan", "7", *CPU, "--config", "kept.yaml")
    assert out.count("tuning 'frozen' keeps random weights in the backbone.") == 1


def test_what_does_not_fit(vit_cli):
    Path("large.yaml").write_text(RUN.replace("null", "400"))
    words = ("--device", "cpu", "--gpu-memory", "0.1", "--config", "large.yaml", "-o", "p.yaml")
    code, _, err = vit_cli("plan", "7", *words)
    assert code == 2 and "a CPU with 0.1 GB is too small for this run" in err
    assert "Fix: leave train.batch_size to the planner: 96 x 64 pixels, 9 per step" in err
    assert not Path("p.yaml").exists()


def test_plans_without_sizes(vit_cli):
    path = Path("preprocessed/Dataset007_Mine/dataset_fingerprint.json")
    path.write_text(json.dumps({"shapes_after_crop": [[1, 90]] * 200}))
    code, _, err = vit_cli("plan", "7", *CPU, "--config", "run.yaml")
    assert code == 3 and "shapes_after_crop is no list of each case's three sizes" in err
