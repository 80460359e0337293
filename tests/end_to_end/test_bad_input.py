"""Bad input: one clear error each, an exit code, no traceback, nothing half-written."""

import json
import shutil
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.end_to_end

GOOD = """
    data: {dataset: 901}
    paths: {raw: raw, preprocessed: untouched/preprocessed, results: untouched/results}
    model: {head: segformer, backbone: timm:test_vit, pretrained: false}
    train: {num_epochs: 1, patch_size: [64, 64]}
"""


@pytest.fixture(scope="module", autouse=True)
def good_file(installed):
    installed.write("good.yaml", GOOD)


@pytest.fixture
def refused(installed):
    """Train with overrides, see it refused and nothing written; return the error."""

    def run(*overrides, config="good.yaml", code, options=(), said="", **variables):
        before = snapshot(installed.folder)
        arguments = ["train", "--config", config, "--device", "cpu", *options]
        arguments += ["--set", *overrides] if overrides else []
        done = installed.vit_cli(*arguments, **variables)
        assert done.returncode == code, done.stdout + done.stderr
        assert done.stdout == said
        assert "Traceback" not in done.stderr
        assert snapshot(installed.folder) == before
        assert not (installed.folder / "untouched").exists()
        return done.stderr.strip().replace(str(installed.folder), "FOLDER")

    return run


def snapshot(folder):
    return {path: path.stat().st_mtime_ns for path in sorted(folder.rglob("*"))}


@pytest.fixture
def dataset(installed):
    """Copy the sample dataset under another name, changed; it is gone after the test."""
    made = []

    def change(name, **description):
        folder = installed.dataset(name)
        shutil.copytree(installed.dataset(), folder)
        made.append(folder)
        file = folder / "dataset.json"
        content = json.loads(file.read_text())
        file.write_text(json.dumps(content | description))
        return folder

    yield change
    for folder in made:
        shutil.rmtree(folder)


def test_unknown_head(refused):
    plugins = Path(__file__).parents[2] / "plugins"
    heads = ", ".join(
        sorted([*(file.parent.name for file in plugins.glob("*/pyproject.toml")), "stranger"])
    )
    assert refused("model.head=segfromer", code=2) == (
        "error[config]: good.yaml, --set model.head=segfromer, model.head: Unknown head "
        f"'segfromer'. Did you mean 'segformer'? Installed: {heads}. Fix: "
        "choose an installed head (`vit_cli list-models` shows them)."
    )


def test_two_problems_at_once(refused, installed):
    installed.write("two.yaml", GOOD + "    lora: {rank: 8, r: big}\n")
    assert refused(config="two.yaml", code=2) == (
        "error[config]: two.yaml: 2 problems\n"
        "  line 6, lora.r: given 'big'; allowed: an integer from 1 to 1024\n"
        "  line 6, lora.rank: unknown key, given 'rank'. "
        "Allowed: enabled, r, lora_alpha, target_modules, lora_dropout"
    )


def test_missing_dataset(refused):
    assert refused("data.dataset=77", code=3) == (
        "error[data]: Dataset '77' is neither in FOLDER/raw nor in FOLDER/untouched/preprocessed. "
        "There: Dataset901_SampleFundus."
    )


def test_dataset_without_labels(refused, dataset):
    folder = dataset("Dataset902_NoLabels")
    shutil.rmtree(folder / "labelsTr")
    assert refused("data.dataset=902", code=3) == (
        "error[data]: FOLDER/raw/Dataset902_NoLabels/labelsTr holds no label file *.png: nothing "
        "to train on. Fix: one label image per training case, named CASE.png."
    )


def test_channel_that_no_statistics_fit(refused, dataset):
    dataset("Dataset903_NoNorm", channel_names={"0": "rgb_to_0_1", "1": "noNorm", "2": "noNorm"})
    assert refused("data.dataset=903", code=3) == (
        "error[data]: No normalization statistics fit input channel 1 (NoNormalization), 2 "
        "(NoNormalization): its values may have any range. Fix: give model.input_mean and "
        "model.input_std, one number per input channel, or another name for the channel in "
        "dataset.json."
    )


def test_patch_size_that_the_vit_does_not_divide(refused):
    assert refused("train.patch_size=[100,64]", code=2) == (
        "error[config]: train.patch_size [100, 64] is not a multiple of the patch of test_vit, "
        "16 pixels. Fix: train.patch_size: [96, 64]"
    )


def test_published_weights_without_a_network(refused, tmp_path):
    began = time.monotonic()
    error = refused(
        "model.backbone=dinov3",
        "model.pretrained=true",
        code=5,
        HF_HOME=str(tmp_path),
        HF_ENDPOINT="http://127.0.0.1:9",
    )
    # 5 to 7 seconds when the machine is quiet; timm and the hub's client would try for 46 more
    assert time.monotonic() - began < 40
    assert error == (
        "error[model]: The published weights vit_large_patch16_dinov3.lvd1689m are not on this "
        "machine and cannot be fetched: 127.0.0.1:9 (HF_ENDPOINT) refuses the connection. Fix: set "
        "HF_ENDPOINT to the address of a hub that is there, or unset it, or fetch "
        "model.safetensors of timm/vit_large_patch16_dinov3.lvd1689m on another machine, copy it "
        "here and write its path in model.checkpoint_path."
    )


def test_weights_of_another_network(refused, installed, tmp_path):
    import timm
    from safetensors.torch import save_file

    file = tmp_path / "other.safetensors"
    other = timm.create_model("vit_tiny_patch16_224", pretrained=False, depth=6, num_classes=0)
    save_file(other.state_dict(), file)
    error = refused(f"model.checkpoint_path={file}", "model.pretrained=true", code=5)
    assert error.startswith(f"error[model]: {file} does not fit the backbone: ")
    assert " tensors, " in error and " % of parameters covered; " in error
    assert error.endswith(" Fix: check model.backbone and model.backbone_size against the file.")


def test_lora_target_that_does_not_exist(refused):
    warned = (
        "Warning: model.pretrained is false and tuning 'lora' keeps random weights in the "
        "backbone. Set model.pretrained: true or model.tuning: full.\n"
    )
    assert refused("lora.enabled=true", "lora.target_modules=[qvk]", code=2, said=warned) == (
        "error[config]: lora.target_modules: no linear layer of the blocks is named 'qvk'; "
        "there are: fc1, fc2, proj, qkv."
    )


def test_device_that_is_not_there(refused):
    error = refused(code=2, options=["--device", "tpu"])
    assert error == "error[config]: --device tpu is unknown; allowed: cuda, cuda:NUMBER, mps, cpu."


def test_debug_shows_the_traceback(installed):
    done = installed.vit_cli("train", "--config", "good.yaml", "--set", "model.head=x", "--debug")
    assert done.returncode == 2
    assert "Traceback (most recent call last)" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("error[config]: good.yaml, --set model.head=x")


@pytest.mark.parametrize(
    ("arguments", "code", "error"),
    [
        (["-i", "raw", "-o", "out", "--model", "raw"], 5, "raw is no model folder: plans.json, "
         "dataset.json missing. Fix: give the folder that `vit_cli train` prints last, the one "
         "that holds fold_0."),
        (["-i", "raw", "-o", "out"], 2, "predict needs --model or --ensemble, one of the two. Fix: "
         "--model FOLDER, as train prints it last, or --ensemble FILE, as best prints it."),
    ],
)  # fmt: skip
def test_predict_without_a_model(installed, arguments, code, error):
    done = installed.vit_cli("predict", *arguments)
    assert done.returncode == code
    assert done.stderr.partition(": ")[2].strip() == error
    assert not (installed.folder / "out").exists()
