"""Logits per class from a set of masks with a class each."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

# the ends of the logits are near -14 and 14 + log(queries): half precision can add up hundreds
SMALLEST_SHARE = 1e-6


def semantic_logits(class_logits: Tensor, mask_logits: Tensor, image_size: Sequence[int]) -> Tensor:
    """Return what a set of masks says about each pixel, as logits of classes or regions.

    A class has at a pixel the sum over queries of softmax(class) * sigmoid(mask). The logits have
    the order of these sums and are positive where a sum is above a half. They are float32.

    Args:
        class_logits: the last class is "no object".
        mask_logits: of any size; they are resized to the image before the sigmoid.
        image_size: (H, W) in pixels.

    Shapes: class_logits (B, Q, num_classes + 1) and mask_logits (B, Q, h, w) give
    (B, num_classes, H, W).
    """
    with torch.autocast(mask_logits.device.type, enabled=False):
        classes = class_logits.float().softmax(dim=-1)[..., :-1]
        resized = functional.interpolate(
            mask_logits.float(), size=tuple(image_size), mode="bilinear"
        )
        sums = torch.einsum("bqc,bqhw->bchw", classes, resized.sigmoid())
        for_it = (sums + SMALLEST_SHARE).log()
        against_it = (functional.relu(1 - sums) + SMALLEST_SHARE).log()
        return for_it - against_it
