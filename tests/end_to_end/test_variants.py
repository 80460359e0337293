"""Runs that differ from the plain one: LoRA from a file, regions, one channel, other patches."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from first_plan import FIRST_PLAN
from repository_heads import HEADS
from skimage import io

pytestmark = pytest.mark.end_to_end

SHORT = [
    "train.num_epochs=1",
    "train.num_iterations_per_epoch=2",
    "train.num_val_iterations_per_epoch=1",
    "train.batch_size=2",
]


@pytest.fixture
def train(installed):
    """Train shortly with a run file and overrides; return the fold's folder and the output."""
    folders = {
        "nnUNet_raw": "raw",
        "nnUNet_preprocessed": "preprocessed",
        "nnUNet_results": "results",
    }
    variables = {name: str(installed.folder / folder) for name, folder in folders.items()}

    def run(text, *overrides, dataset=901):
        installed.write("variant.yaml", text)
        done = installed(
            "nnUNetv2_train_vit", dataset, "2d", "0", "--config", "variant.yaml", "--device", "cpu",
            "--set", *SHORT, *overrides, **variables,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        folder = done.stdout.splitlines()[-1].split("--model '")[1].split("'")[0]
        return Path(folder) / "fold_0", done.stdout

    return run


@pytest.fixture
def derived_dataset(installed):
    """Write a dataset whose images and labels are made from the sample's."""

    def write(name, change_image, change_label, **description):
        folder = installed.dataset(name)
        shutil.copytree(installed.dataset(), folder)
        for file in folder.glob("images*/*.png"):
            io.imsave(file, change_image(io.imread(file)), check_contrast=False)
        for file in folder.glob("labels*/*.png"):
            io.imsave(file, change_label(io.imread(file)), check_contrast=False)
        path = folder / "dataset.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | description))

    return write


def weights(fold):
    file = fold / "checkpoint_final.pth"
    return torch.load(file, map_location="cpu", weights_only=True)["network_weights"]


def test_the_first_plans_file_trains_unchanged(train, tmp_path):
    import timm
    from safetensors.torch import save_file

    pretrained = timm.create_model("vit_small_patch16_dinov3", pretrained=False).state_dict()
    save_file(pretrained, tmp_path / "dinov3.safetensors")
    text = FIRST_PLAN.replace('"large"', '"small"').replace(": 256", ": 16")
    text = text.replace('checkpoint_path: ""', f"checkpoint_path: '{tmp_path}/dinov3.safetensors'")
    fold, output = train(text, "train.patch_size=[64,64]")
    assert "epoch 1/1" in output
    trained = weights(fold)
    prefix = "model.backbone.model."
    for key, value in pretrained.items():
        if key.endswith("qkv.weight"):  # the adapter, merged; its product starts at 0
            assert 1e-5 < (trained[prefix + key] - value).abs().max() < 0.1
        else:
            torch.testing.assert_close(trained[prefix + key], value, rtol=0, atol=0)
    assert not any("lora_" in key for key in trained)


def with_regions(derived_dataset, name):
    def with_ignored_corner(label):
        label = label.copy()
        label[:16, :16] = 3
        return label

    derived_dataset(
        name, lambda image: image, with_ignored_corner,
        labels={"background": 0, "disc_and_vessel": [1, 2], "vessel": 2, "ignore": 3},
        regions_class_order=[1, 2],
    )  # fmt: skip


def test_regions_and_ignore_label(train, derived_dataset, installed):
    with_regions(derived_dataset, "Dataset904_Regions")
    fold, _ = train(
        "model: {head: segformer, backbone: 'timm:test_vit', pretrained: false, "
        "decoder: {hidden_size: 16}}",
        "train.patch_size=[64,64]",
        dataset=904,
    )
    summary = json.loads((fold / "validation" / "summary.json").read_text())
    assert set(summary["mean"]) == {"(1, 2)", "2"}
    masks = installed.folder / "region masks"
    images = installed.dataset("Dataset904_Regions") / "imagesTs"
    installed.succeed(
        "predict", "-i", images, "-o", masks, "--model", fold.parent, "--device", "cpu"
    )
    assert set(np.unique([io.imread(file) for file in masks.glob("*.png")])) <= {0, 1, 2}


@pytest.mark.slow
def test_every_head_takes_regions_and_ignored_pixels(train, derived_dataset):
    with_regions(derived_dataset, "Dataset907_EveryHead")
    for head in HEADS:
        text = f"model: {{head: {head}, backbone: 'timm:test_vit', pretrained: false}}"
        fold, _ = train(text, "train.patch_size=[64,64]", dataset=907)
        summary = json.loads((fold / "validation" / "summary.json").read_text())
        assert set(summary["mean"]) == {"(1, 2)", "2"}, head


def test_one_channel_patch_14_and_frozen(train, derived_dataset):
    derived_dataset(
        "Dataset905_Grey", lambda image: image[..., 1], lambda label: label,
        channel_names={"0": "intensity"},
    )  # fmt: skip
    fold, output = train(
        """
        model:
          head: linear
          backbone: dinov2
          backbone_size: small
          pretrained: false
          freeze_backbone: true
        """,
        dataset=905,
    )
    plans = json.loads((fold.parent / "plans.json").read_text())
    height, width = plans["configurations"]["2d"]["patch_size"]
    assert (height % 14, width % 14) == (0, 0)
    assert f"  train.patch_size [{height}, {width}]: " in output  # the run leaves it open
    arguments = plans["configurations"]["2d"]["architecture"]["arch_kwargs"]
    assert (arguments["input_mean"], arguments["input_std"]) == ([0.0] * 3, [1.0] * 3)
    assert weights(fold)["model.backbone.model.patch_embed.proj.weight"].shape[1] == 3


@pytest.mark.slow  # of the loss that follows, too, the module is one's own
def test_a_module_of_ones_own_gets_the_whole_run(train, installed, tmp_path, monkeypatch):
    (tmp_path / "my_model.py").write_text(
        "from torch import nn\n"
        "def create_segmentation_model(backbone_name, num_classes, decoder_hidden_size,\n"
        "                              checkpoint_path=None, lora_rank=99, in_channels=1):\n"
        "    assert (backbone_name, decoder_hidden_size, lora_rank, in_channels) == (\n"
        "        'timm:test_vit', 24, 3, 3)\n"
        "    return nn.Conv2d(in_channels, num_classes, 3, padding=1)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    fold, _ = train(
        "model: {model_path: my_model, backbone: 'timm:test_vit', pretrained: false, "
        "decoder: {hidden_size: 24}}\nlora: {r: 3}\n",
        "train.patch_size=[64,64]",
    )
    assert set(weights(fold)) == {"bridge.mean", "bridge.std", "model.weight", "model.bias"}


OWN_LOSS = """
from torch import nn
from torch.nn import functional

class Pair(nn.Module):
    def __init__(self, in_channels, num_classes):
        super().__init__()
        self.fine = nn.Conv2d(in_channels, num_classes, 3, padding=1)
        self.image = nn.Conv2d(in_channels, num_classes, 1)

    def forward(self, images):
        fine = self.fine(images)
        if not self.training:
            return fine
        return {"fine": fine, "image": self.image(images).mean((2, 3))}

def create_segmentation_model(in_channels, num_classes):
    return Pair(in_channels, num_classes)

def create_loss(num_classes, ignore_label, default_loss):
    def loss(outputs, target):
        present = functional.one_hot(target[:, 0].long(), num_classes).amax((1, 2)).float()
        image = functional.binary_cross_entropy_with_logits(outputs["image"], present)
        return default_loss(outputs["fine"], target) + 10 * image
    return loss
"""


def test_a_loss_of_ones_own(train, tmp_path, monkeypatch):
    (tmp_path / "own_loss.py").write_text(OWN_LOSS)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    fold, output = train(
        "model: {model_path: own_loss, backbone: 'timm:test_vit', pretrained: false}",
        "train.patch_size=[64,64]", "train.gradient_accumulation=2",
    )  # fmt: skip
    shown = re.search(r"train loss \+(\S+)  validation loss \+(\S+)", output)
    assert float(shown[1]) > 5 > float(shown[2])  # validation is nnU-Net's loss of the logits
    assert set(weights(fold)) >= {"model.fine.weight", "model.image.weight"}


DEEP_MODULE = """
from torch import nn
from torch.nn import functional

class Deep(nn.Module):
    def __init__(self, in_channels, num_classes, deep_supervision):
        super().__init__()
        self.fine = nn.Conv2d(in_channels, num_classes, 3, padding=1)
        if deep_supervision:
            self.coarse = nn.Conv2d(in_channels, num_classes, 3, padding=1)

    def forward(self, images):
        if not hasattr(self, "coarse"):
            return self.fine(images)
        half = functional.avg_pool2d(images, 2)
        return [self.fine(images), self.coarse(half), self.coarse(functional.avg_pool2d(half, 2))]

def create_segmentation_model(in_channels, num_classes, deep_supervision):
    return Deep(in_channels, num_classes, deep_supervision)
"""


@pytest.mark.slow
def test_deep_supervision_trains_every_level_and_predicts(train, installed, tmp_path, monkeypatch):
    (tmp_path / "deep_model.py").write_text(DEEP_MODULE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    fold, _ = train(
        "model: {model_path: deep_model, backbone: 'timm:test_vit', pretrained: false}",
        "train.patch_size=[64,64]",
        "train.seed=3",
    )
    longer, _ = train(
        "model: {model_path: deep_model, backbone: 'timm:test_vit', pretrained: false}",
        "train.patch_size=[64,64]",
        "train.seed=3",
        "train.initial_lr=0.5",
    )
    for key, value in weights(fold).items():
        if key.startswith("model."):
            assert not torch.equal(value, weights(longer)[key]), f"{key} is not trained"
    masks = installed.folder / "deep masks"
    images = installed.dataset() / "imagesTs"
    installed.succeed(
        "predict", "-i", images, "-o", masks, "--model", fold.parent, "--device", "cpu"
    )
    assert len(list(masks.glob("*.png"))) == 2
