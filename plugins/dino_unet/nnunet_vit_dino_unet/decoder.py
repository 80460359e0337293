"""A U-Net's way up: each level joins what comes from below it, and adds its own logits."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from nnunet_vit.blocks.resolution import resized
from nnunet_vit_dino_unet.layers import convolution


class UNetDecoder(nn.Module):
    """From the coarsest level to the finest by projection, interpolation and one convolution each.

    Logits of a level are its own and those of the level below it, interpolated: none is idle where
    deep supervision is off, and the finer ones have but to correct.
    """

    def __init__(self, widths: list[int], num_classes: int) -> None:
        """Build it for levels of these numbers of channels, finest first."""
        super().__init__()
        steps = list(pairwise(widths[::-1]))
        self.projections = nn.ModuleList(
            nn.Conv2d(before, after, kernel_size=1) for before, after in steps
        )
        self.blocks = nn.ModuleList(convolution(2 * after, after) for _, after in steps)
        self.classifiers = nn.ModuleList(
            nn.Conv2d(after, num_classes, kernel_size=1) for _, after in steps
        )

    def forward(self, levels: list[Tensor]) -> list[Tensor]:
        """Map levels (B, width, h, w), finest first, to logits of all but the coarsest."""
        features = levels[-1]
        logits: list[Tensor] = []
        for project, block, classify, skip in zip(
            self.projections, self.blocks, self.classifiers, levels[-2::-1], strict=True
        ):
            size = skip.shape[-2:]
            features = block(torch.cat([resized(project(features), size), skip], dim=1))
            own = classify(features)
            logits.append(own + resized(logits[-1], size) if logits else own)
        return logits[::-1]
