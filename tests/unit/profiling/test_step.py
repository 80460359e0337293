"""The measured cost of a training step, beside real tensors, a table and torch's own counter."""

import pytest
from measured_steps import PLAIN, described, loss, measured, run_of

pytestmark = pytest.mark.unit

DINOV2, DINOV3 = "dinov2", "dinov3"
ALL_LAYERS = ["qkv", "proj", "fc1", "fc2"]
LORA = {"r": 8, "lora_dropout": 0.0}


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"precision": "float32"},
        {"lora": {"r": 8}},
        {"lora": {"r": 8}, "precision": "float32"},
        {"freeze_backbone": True},
        {"train": {"gradient_checkpointing": True}},
        {"head": "segformer"},
    ],
    ids=["full", "float32", "lora", "lora32", "frozen", "checkpointing", "segformer"],
)
def test_saved_activations_are_those_of_a_real_step(settings):
    run = run_of(**settings)
    assert described(run).saved_activations == pytest.approx(measured(run, 224), rel=0.02)


@pytest.mark.parametrize(
    "settings",
    [
        {"lora": {"r": 8}},
        pytest.param({}, marks=pytest.mark.slow),
        pytest.param({"train": {"gradient_checkpointing": True}}, marks=pytest.mark.slow),
    ],
)
def test_saved_activations_of_large_images(settings):
    run = run_of(**settings)
    assert described(run, 512).saved_activations == pytest.approx(measured(run, 512), rel=0.02)


@pytest.mark.parametrize(
    ("backbone", "settings", "per_token"),
    [
        (PLAIN, {}, 36.1),
        (PLAIN, {"lora": {**LORA, "target_modules": ["qkv"]}}, 26.1),
        (PLAIN, {"lora": {**LORA, "target_modules": ALL_LAYERS}}, 38.2),
        (PLAIN, {"train": {"gradient_checkpointing": True}}, 4.0),
        (PLAIN, {"freeze_backbone": True}, 0),
        (DINOV2, {}, 40.1),
        (DINOV2, {"lora": {**LORA, "target_modules": ALL_LAYERS}}, 38.3),
        (DINOV3, {}, 46.1),
        (DINOV3, {"lora": {**LORA, "target_modules": ["qkv"]}}, 30.1),
        (DINOV3, {"lora": {**LORA, "target_modules": ALL_LAYERS}}, 42.3),
    ],
)
def test_what_a_block_keeps_per_token_and_channel(backbone, settings, per_token):
    """The numbers were measured on real tensors, without this package."""
    patch, others = {PLAIN: (16, 1), DINOV2: (14, 1), DINOV3: (16, 5)}[backbone]
    edge, batch = 32 * patch, 2
    cost = described(run_of(backbone, **settings), edge, batch)
    blocks, width, tokens = 12, 384, 32 * 32 + others
    # besides its blocks a ViT that is trained keeps the image in bfloat16, its last norm's input
    rest = 0 if {"lora", "freeze_backbone"} & set(settings) else 2 * batch * 3 * edge**2
    rest += 4 * batch * tokens * width if rest else 0
    assert cost.backbone_activations - rest == pytest.approx(
        per_token * batch * tokens * blocks * width, rel=0.1
    )


def as_it_is(formula):
    """Return a formula of torch's registry as the counter takes one: it wraps others once more."""

    def formula_of_tensors(*arguments, **named):
        return formula(*arguments, **named)

    formula_of_tensors._get_raw = True
    return formula_of_tensors


def counted_by_torch(run, kernel):
    """Return the operations of a real step with two images, attention by one kernel."""
    import torch
    from torch.nn.attention import sdpa_kernel
    from torch.utils import flop_counter

    from nnunet_vit.modeling.network import ViTSegmentationNetwork, network_arguments

    aten, known = torch.ops.aten, flop_counter.flop_registry
    flash = aten._scaled_dot_product_flash_attention
    backward = aten._scaled_dot_product_flash_attention_backward
    of_a_cpu = {  # torch has the formulas and does not use them for the kernels of a CPU
        aten._scaled_dot_product_flash_attention_for_cpu: as_it_is(known[flash]),
        aten._scaled_dot_product_flash_attention_for_cpu_backward: as_it_is(known[backward]),
    }
    network = ViTSegmentationNetwork(
        3, 2, **network_arguments(run, (224, 224), ([0.0] * 3, [1.0] * 3))
    )
    with flop_counter.FlopCounterMode(display=False, custom_mapping=of_a_cpu) as counter:
        with sdpa_kernel(kernel):
            loss([network(torch.zeros(2, 3, 224, 224))]).backward()
    return counter.get_total_flops()


@pytest.mark.parametrize("kernel", ["FLASH_ATTENTION", "MATH"])
def test_operations_are_those_of_torchs_counter_and_of_the_formula(kernel):
    from torch.nn.attention import SDPBackend

    run = run_of(precision="float32")
    cost = described(run, batch=2)
    width, tokens, head = 384, 197, 2 * 196 * 384 * 2
    # the written-out attention keeps its scores, where the fused ones compute them again
    scores = 2 * 12 * 2 * tokens**2 * width if kernel == "MATH" else 0
    assert cost.step_flops - scores == counted_by_torch(run, getattr(SDPBackend, kernel))
    blocks = 12 * tokens * (24 * width**2 + 4 * tokens * width)
    assert cost.forward_flops == blocks + 2 * 224 * 224 * 3 * width + head


def test_a_frozen_backbone_is_computed_once():
    frozen, full = described(run_of(freeze_backbone=True)), described(run_of())
    assert frozen.step_flops < 1.01 * frozen.forward_flops
    assert 2.9 < full.step_flops / full.forward_flops < 3.2


BETWEEN_BLOCKS = """
from torch import nn

class Between(nn.Module):
    def __init__(self, backbone, num_classes):
        super().__init__()
        self.backbone, self.classifier = backbone, nn.Conv2d(backbone.embed_dim, num_classes, 1)

    def forward(self, images):
        tokens = self.backbone.run_blocks(self.backbone.embed(images), 0, self.backbone.depth)
        logits = self.classifier(self.backbone.normalized(tokens).maps)
        return nn.functional.interpolate(logits, size=images.shape[-2:], mode="bilinear")

def create_segmentation_model(backbone, num_classes):
    return Between(backbone, num_classes)
"""


def test_a_head_between_the_blocks_is_told_from_the_backbone(tmp_path, monkeypatch):
    (tmp_path / "between_head.py").write_text(BETWEEN_BLOCKS)
    monkeypatch.syspath_prepend(str(tmp_path))
    between = described(run_of(head=None, model_path="between_head"))
    linear = described(run_of(decoder={"dropout": 0.0}))
    assert between.backbone_activations == pytest.approx(linear.backbone_activations, rel=0.01)


def test_checkpointing_and_accumulation_compute_again_and_keep_less():
    plain = described(run_of(), batch=16)
    blocks = described(run_of(train={"gradient_checkpointing": True}), batch=16)
    parts = described(run_of(train={"gradient_accumulation": 4}), batch=16)
    assert blocks.saved_activations < plain.saved_activations / 6
    # a part keeps its images and gives its logits; the loss keeps all logits
    assert parts.saved_activations < plain.saved_activations / 20
    for saving in (blocks, parts):
        assert 1.2 < saving.step_flops / plain.step_flops < 1.4
        assert saving.peak < 0.75 * plain.peak
    # one part at a time, computed again
    assert parts.peak > parts.saved_activations + 0.8 * plain.saved_activations / 4


def test_weights_gradients_and_copies():
    cost = described(run_of())
    weights = cost.parameters // 4
    assert 21e6 < weights < 23e6
    assert cost.gradients == pytest.approx(cost.parameters, rel=0.001)
    assert cost.weight_copies == pytest.approx(cost.parameters / 2, rel=0.02)
    assert described(run_of(precision="float32")).weight_copies == 0
    adapted = described(run_of(lora={"r": 8, "target_modules": ["qkv"]}))
    assert adapted.gradients == 4 * (12 * 8 * (384 + 3 * 384) + described_head())


def described_head():
    return 2 * 384 + 384 * 2 + 2  # a group norm and a convolution to two classes


def test_a_gpu_lifts_norms_to_float32():
    on_cpu = described(run_of(head="segformer"))
    on_cuda = described(run_of(head="segformer"), device="cuda")
    assert on_cuda.head_activations > 1.3 * on_cpu.head_activations
    assert on_cuda.backbone_activations == pytest.approx(on_cpu.backbone_activations, rel=0.01)


@pytest.mark.parametrize(
    ("given", "device", "is_quick", "expected"),
    [
        ("auto", "cuda", False, True),
        ("auto", "cpu", False, False),
        ("auto", "cpu", True, True),
        ("auto", "mps", True, False),
        ("bfloat16", "cpu", False, True),
        ("float32", "cuda", True, False),
    ],
)
def test_precision(monkeypatch, given, device, is_quick, expected):
    from nnunet_vit.modeling.runtime import precision

    monkeypatch.setattr(precision, "is_quick_in_bfloat16", lambda: is_quick)
    assert precision.computes_in_bfloat16(given, device) is expected


def test_the_largest_takes_no_memory(one_gigabyte):
    train = {"gradient_checkpointing": True}
    cost = described(run_of(DINOV3, backbone_size="7b", train=train), 512, 12)
    assert cost.parameters > 26e9
    assert cost.backbone_activations == pytest.approx(4 * 12 * 1029 * 40 * 4096, rel=0.1)
