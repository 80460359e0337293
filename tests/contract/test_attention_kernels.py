"""Attention of every kind of backbone and head takes torch's fast kernel, backward too.

The networks as they are: what a trainer on a CPU puts in its place has tests of its own.
"""

from collections import Counter

import pytest
import torch
from repository_heads import HEADS
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from nnunet_vit.testing.building import build, images_of
from nnunet_vit.testing.small_vits import SMALL_VITS, Case

pytestmark = pytest.mark.contract

NETWORKS = [
    *(("linear", vit, dtype) for vit in SMALL_VITS for dtype in ("float32", "bfloat16")),
    *((head, "dinov3", "bfloat16") for head in HEADS if head != "linear"),
]
FEW_KEYS = {"dino_unet", "mask2former"}  # each query has keys of its own: torch has no kernel
DROPPING = {"segmenter"}  # attention weights, in training: the kernel can on GPUs alone
FAST = "aten._scaled_dot_product_flash_attention_for_cpu"


class Attention(TorchDispatchMode):
    """Counts the kernels of attention, and softmax where attention is written out."""

    def __init__(self):
        super().__init__()
        self.kernels, self.written_out = Counter(), 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = str(function).removesuffix(".default")
        if "attention" in name:
            self.kernels[name] += 1
        if name in {"aten._softmax", "aten._safe_softmax"}:
            self.written_out += 1
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize(("head", "vit", "dtype"), NETWORKS)
def test_every_block_takes_the_fast_kernel(head, vit, dtype):
    case = Case(vit)
    size = case.pixels(3, 4)
    model, images = build(head, case, size).train(), images_of(size)
    with Attention() as attention:
        with torch.autocast("cpu", torch.bfloat16, enabled=dtype == "bfloat16"):
            logits = [tensor for tensor in tree_leaves(model(images)) if tensor is not None]
        sum(tensor.float().square().mean() for tensor in logits).backward()
    assert attention.kernels[FAST] >= case.vit.depth
    assert attention.kernels[f"{FAST}_backward"] == attention.kernels[FAST]
    assert set(attention.kernels) == {FAST, f"{FAST}_backward"}
    assert bool(attention.written_out) == (head in FEW_KEYS | DROPPING)
