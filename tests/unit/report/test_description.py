"""A description as people read it."""

from dataclasses import replace

import pytest

from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.profiling.cost import Channel, Description, Part, StepCost, Weights
from nnunet_vit.report.description import as_text

pytestmark = pytest.mark.unit

FOUND = Description(
    head="segformer",
    backbone="dinov3 small",
    tuning=("lora", "low-rank adapters"),
    parts=[
        Part("input bridge", 0, 0),
        Part("backbone", 21_600_000, 0),
        Part("blocks", 21_000_000, 0, "backbone"),
        Part("adapters", 150_000, 150_000),
        Part("head", 1538, 1538),
    ],
    adapted=["qkv", "fc2"],
    depth=12,
    width=384,
    patch_size=16,
    image_size=(512, 256),
    batch_size=4,
    device="cuda",
    precision="bfloat16",
    cost=StepCost(63_500_000_000, 2_480_000_000_000, 1, 2, 3, 4, 5, 6),
    memory={"parameters": 86_000_000, "activations, backbone": 1_240_000_000},
    dataset="Dataset005_Mine",
    channels=[
        Channel("red", "RGBTo01Normalization", 0.485, 0.229),
        Channel("CT", "CTNormalization", 0.0, 1.0),
    ],
    statistics_from="the family's, x",
    outputs=3,
    weights=Weights("x.y", "fetched from somewhere", "Apache-2.0"),
    notes=["Assumed: this."],
)
TEXT = """\
run.yaml: head segformer on dinov3 small, tuning lora

network                       parameters     trained    share
  input bridge                         0           -    0.0 %
  backbone                       21.60 M           -   99.3 %
    blocks                       21.00 M           -   96.5 %
  adapters                        0.15 M      0.15 M    0.7 %
  head                              1538        1538    0.0 %
  total                          21.75 M      0.15 M  100.0 %

features   12 blocks, 384 channels, stride 16 pixels: maps of 32 x 16
images     512 x 256 pixels, 4 per step
compute    63.5 GFLOPs forward per image, 2.48 TFLOPs per training step

memory of a training step on cuda, bfloat16
  parameters                     86.0 MB
  activations, backbone          1.24 GB
  sum                            1.33 GB   and 0.5 to 1 GB that a GPU's own software takes

dataset    Dataset005_Mine, 3 channels of logits
input      channel 0, red (RGBTo01): mean 0.485 std 0.229
           channel 1, CT (CT): as nnU-Net gives it
           statistics: the family's, x
tuning     lora: low-rank adapters
           rank 8, alpha 16, dropout 0.05, in qkv, fc2
rates      adamw: head 0.001, backbone 0.0001, times 0.75 per block; warm-up 3 %, poly; \
weight decay 3e-05
length     1000 epochs of 250 steps, checkpointing, 2 parts per batch, averaged weights (0.99)
loss       dice_ce: nnU-Net's Dice and cross entropy
augmented  by nnU-Net's set
weights    x.y
           fetched from somewhere
licence    Apache-2.0

note       Assumed: this."""
TRAIN = {
    "backbone_lr": 0.0001,
    "layer_decay": 0.75,
    "gradient_checkpointing": True,
    "gradient_accumulation": 2,
    "ema": 0.99,
}


def test_everything():
    run = ViTnnUNetConfig.model_validate({"train": TRAIN, "lora": {}})
    assert as_text("run.yaml", run, FOUND) == TEXT


def test_what_is_not_known_is_left_out():
    bare = replace(FOUND, depth=0, cost=None, memory={}, dataset="", adapted=[], notes=[])
    text = as_text("run.yaml", ViTnnUNetConfig(), bare)
    for absent in ("features", "compute", "memory", "rank 8", "note", "checkpointing", "parts per"):
        assert absent not in text
    assert "\nrates      adamw: head 0.001, backbone 0.001; warm-up 3 %, poly;" in text
    assert "\ndataset    assumed, 3 channels of logits\n" in text
    assert "GPU" not in as_text("run.yaml", ViTnnUNetConfig(), replace(FOUND, device="cpu"))
