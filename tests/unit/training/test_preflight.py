"""What is looked at before a run writes anything: device, checkpoint, fold, sizes, network."""

import sys

import pytest
from nnunet_folders import Said

from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.data.dataset import find_dataset
from nnunet_vit.data.patch_size import patch_size_of_run
from nnunet_vit.errors import ConfigError, DataError, ModelError, PluginError
from nnunet_vit.training.preflight import (
    check_network,
    starts_from_checkpoint,
)

pytestmark = pytest.mark.unit

PLANS = {
    "configurations": {"2d": {"patch_size": [40, 56], "architecture": {"network_class_name": "x"}}}
}
MODEL = {"head": "linear", "backbone": "timm:test_vit", "pretrained": False}


def run_of(model=MODEL, **sections):
    return ViTnnUNetConfig.model_validate({"model": {**MODEL, **model}, **sections})


def save_epoch(fold, epoch=3):
    import torch

    from nnunet_vit.checkpoints.store import Checkpoint, CheckpointStore

    CheckpointStore(fold).save(Checkpoint(epoch, {"w": torch.zeros(1)}, {}, {}), best=False)


@pytest.mark.parametrize(
    ("saved", "resume", "overwrite", "going"),
    [
        (False, False, False, False),
        (False, False, True, False),
        (True, False, True, False),
        (True, True, False, True),
    ],
)
def test_whether_a_run_goes_on(tmp_path, saved, resume, overwrite, going):
    if saved:
        save_epoch(tmp_path)
    assert starts_from_checkpoint(tmp_path, resume, overwrite) is going


def test_a_finished_model_is_enough_to_go_on(tmp_path):
    (tmp_path / "checkpoint_final.pth").touch()
    assert starts_from_checkpoint(tmp_path, resume=True, overwrite=False)


def test_nothing_to_go_on_from(tmp_path):
    with pytest.raises(ConfigError) as caught:
        starts_from_checkpoint(tmp_path / "fold_0", resume=True, overwrite=False)
    assert str(caught.value) == (
        f"--continue: there is no checkpoint of this run in {tmp_path / 'fold_0'}. "
        "Fix: leave out --continue, or give the run file that the earlier run had (another "
        "model, lora or train section is another run; --set recipe=1 finds one of versions before "
        "recipes)."
    )


@pytest.mark.parametrize("held", ["checkpoint of epoch 3", "checkpoint_final.pth"])
def test_a_result_is_not_overwritten_unasked(tmp_path, held):
    save_epoch(tmp_path)
    if held.endswith(".pth"):
        (tmp_path / held).touch()
    with pytest.raises(ConfigError) as caught:
        starts_from_checkpoint(tmp_path, resume=False, overwrite=False)
    assert str(caught.value) == (
        f"{tmp_path} already holds this run's {held}. "
        "Fix: --continue to resume, --overwrite to start from scratch, or change the run file."
    )


@pytest.mark.parametrize(
    ("patch", "given", "size", "lines"),
    [
        (8, None, (40, 56), []),
        (
            16,
            None,
            (48, 64),
            [
                "Patch size 48 x 64: the planned 40 x 56, up to the next multiple of the ViT's "
                "patch, 16."
            ],
        ),
        (
            14,
            None,
            (42, 56),
            [
                "Patch size 42 x 56: the planned 40 x 56, up to the next multiple of the ViT's "
                "patch, 14."
            ],
        ),
        (16, [96, 32], (96, 32), []),
    ],
)
def test_the_patch_size(patch, given, size, lines):
    said = Said()
    run = run_of(train={"patch_size": given})
    assert patch_size_of_run(run, PLANS, patch, progress=said) == size
    assert said.lines == lines


def checked(run, fresh=False, said=None):
    return check_network(find_dataset(5), run, fresh, progress=said or Said())


def test_statistics_follow_the_plans_that_normalize(write_dataset):
    write_dataset(channel_names={"0": "R", "1": "CT"})
    planned = ["CTNormalization", "RGBTo01Normalization"]
    facts = check_network(find_dataset(5), run_of(), False, progress=Said(), schemes=planned)
    assert facts.statistics == ([0.0, 0.5], [1.0, 0.5])


def test_the_facts_of_a_network(write_dataset):
    write_dataset(channel_names={"0": "rgb_to_0_1", "1": "CT"})
    facts = checked(run_of(), fresh=True)
    assert facts.patch_size == 16
    assert facts.statistics == ([0.5, 0.0], [0.5, 1.0])


def test_what_the_weights_brought_is_told(write_dataset, tmp_path):
    import timm
    from safetensors.torch import save_file

    state = timm.create_model("test_vit", num_classes=10).state_dict()
    save_file(state, tmp_path / "vit.safetensors")
    write_dataset(channel_names={"0": "rgb_to_0_1", "1": "CT"})
    run = run_of({"pretrained": True, "checkpoint_path": str(tmp_path / "vit.safetensors")})
    said = Said()
    checked(run, fresh=True, said=said)
    assert said.lines[:1] == [
        "Weights: vit.safetensors covers 100 % of the backbone: 78 tensors, 0.28 M parameters; "
        "resized: pos_embed, patch_embed.proj.weight; skipped: head.bias, head.weight"
    ]


def test_the_runs_own_statistics(write_dataset):
    write_dataset(channel_names={"0": "nonorm", "1": "CT"})
    run = run_of({"input_mean": [3.0, 4.0], "input_std": [5.0, 6.0]})
    assert checked(run).statistics == ([3.0, 4.0], [5.0, 6.0])


@pytest.mark.parametrize(
    ("model", "error", "text"),
    [
        (
            {},
            DataError,
            "No normalization statistics fit input channel 0 (NoNormalization): its values may "
            "have any range. Fix: give model.input_mean and model.input_std, one number per input "
            "channel, or another name for the channel in dataset.json.",
        ),
        (
            {"input_mean": [0.1], "input_std": [1.0]},
            ConfigError,
            "model.input_mean has 1 numbers; Dataset005_Mine has 2 channels.",
        ),
        (
            {"backbone": "timm:test_vti"},
            ConfigError,
            "model.backbone: timm has no model 'test_vti'.",
        ),
    ],
)
def test_what_does_not_fit_the_dataset(write_dataset, model, error, text):
    write_dataset(channel_names={"0": "nonorm", "1": "CT"})
    with pytest.raises(error) as caught:
        checked(run_of(model))
    assert str(caught.value).partition(" Did you mean")[0] == text


def test_a_patch_size_that_the_vit_does_not_divide(write_dataset):
    write_dataset()
    with pytest.raises(ConfigError) as caught:
        checked(run_of(train={"patch_size": [40, 64]}))
    assert str(caught.value) == (
        "train.patch_size [40, 64] is not a multiple of the patch of test_vit, 16 pixels. "
        "Fix: train.patch_size: [32, 64]"
    )


@pytest.mark.parametrize("fresh", [True, False])
def test_weights_are_wanted_for_a_start_and_for_nothing_else(write_dataset, monkeypatch, fresh):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    write_dataset()
    run = run_of({"pretrained": True})
    if not fresh:
        assert checked(run, fresh).patch_size == 16
        return
    with pytest.raises(ModelError) as caught:
        checked(run, fresh)
    assert str(caught.value).startswith(
        "The published weights test_vit.r160_in1k are not on this machine"
    )


def test_a_head_with_a_wrong_output_is_refused_before_training(
    write_dataset, tmp_path, monkeypatch
):
    (tmp_path / "preflight_head.py").write_text(
        "from torch import nn\n"
        "def create_segmentation_model(in_channels, num_classes):\n"
        "    return nn.Conv2d(in_channels, num_classes - 1, 1)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    write_dataset()
    run = run_of({"head": None, "model_path": "preflight_head"})
    with pytest.raises(PluginError) as caught:
        checked(run, fresh=True)
    assert str(caught.value) == (
        "The head's output 0 has shape (2, 2, 64, 96); needed: (2, 3, H, W), with one channel per "
        "class or region."
    )
    del sys.modules["preflight_head"]


def test_the_statistics_are_the_familys(write_dataset, fake_backbone):
    fake_backbone(
        "mine",
        "from nnunet_vit.backbones.family import BackboneFamily\n"
        "from nnunet_vit.hookspecs import hookimpl\n@hookimpl\ndef backbone_family():\n"
        "    return BackboneFamily(name='mine', summary='x', timm_name='{size}', licence='MIT',\n"
        "        sizes=('test_vit',), default_size='test_vit', patch_size=16,\n"
        "        mean=(0.1, 0.2, 0.3), std=(0.4, 0.5, 0.6))\n",
    )
    write_dataset(channel_names={str(n): "rgb_to_0_1" for n in range(3)})
    assert checked(run_of({"backbone": "mine"})).statistics == ([0.1, 0.2, 0.3], [0.4, 0.5, 0.6])
