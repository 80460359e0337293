"""All-MLP fusion after SegFormer (https://arxiv.org/abs/2105.15203), anew for a plain ViT."""

import itertools
import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from nnunet_vit.modeling.backbone import ViTBackbone

LEVELS = 4
NARROWEST = 16  # channels below which refinement has nothing left to work with


class SegformerSegmentation(nn.Module):
    """Backbone, fusion of four levels, upsampling to the image.

    Args:
        backbone: built, loaded and tuned.
        num_classes: channels of the logits.
        hidden_size: channels of the fused map.
        progressive: refine by convolutions at each doubling; else upsample the logits at once.
        dropout: share of fused channels dropped in training.
    """

    def __init__(
        self,
        backbone: ViTBackbone,
        num_classes: int,
        hidden_size: int,
        progressive: bool,
        dropout: float,
    ) -> None:
        """Build the decoder for the backbone's width, depth and patch."""
        super().__init__()
        self.backbone = backbone
        self.layers = evenly_spaced(backbone.depth)
        self.fusion = LevelFusion(len(self.layers), backbone.embed_dim, hidden_size)
        self.dropout = nn.Dropout2d(dropout)
        doublings = int(math.log2(backbone.patch_size)) if progressive else 0
        widths = [max(hidden_size >> step, NARROWEST) for step in range(doublings + 1)]
        widths[0] = hidden_size
        self.refinement = nn.ModuleList(
            convolution(before, after, kernel_size=3)
            for before, after in itertools.pairwise(widths)
        )
        self.classifier = nn.Conv2d(widths[-1], num_classes, kernel_size=1)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, C, H, W) to logits (B, num_classes, H, W)."""
        features = self.dropout(self.fusion(self.backbone.feature_maps(images, self.layers)))
        for refine in self.refinement:
            features = functional.interpolate(features, scale_factor=2, mode="bilinear")
            features = refine(features)
        logits = self.classifier(features)
        # a patch that is no power of two (14) leaves a last step below 2
        return functional.interpolate(logits, size=images.shape[-2:], mode="bilinear")


class LevelFusion(nn.Module):
    """A linear layer per level, concatenation, a linear layer over all."""

    def __init__(self, levels: int, embed_dim: int, hidden_size: int) -> None:
        """Build the linear layers; in a ViT all levels have one width and one resolution."""
        super().__init__()
        self.projections = nn.ModuleList(
            nn.Sequential(nn.GroupNorm(1, embed_dim), nn.Conv2d(embed_dim, hidden_size, 1))
            for _ in range(levels)
        )
        self.fuse = convolution(levels * hidden_size, hidden_size, kernel_size=1)

    def forward(self, maps: list[Tensor]) -> Tensor:
        """Fuse maps (B, embed_dim, h, w) to one (B, hidden_size, h, w)."""
        projected = [project(level) for project, level in zip(self.projections, maps, strict=True)]
        fused: Tensor = self.fuse(torch.cat(projected, dim=1))
        return fused


def convolution(before: int, after: int, kernel_size: int) -> nn.Sequential:
    """Return convolution, group normalization (right for any batch size) and GELU."""
    return nn.Sequential(
        nn.Conv2d(before, after, kernel_size, padding=kernel_size // 2, bias=False),
        nn.GroupNorm(math.gcd(8, after), after),
        nn.GELU(),
    )


def evenly_spaced(depth: int) -> list[int]:
    """Return four block numbers that end with the last; fewer where the ViT has fewer blocks."""
    return sorted({max(0, depth * step // LEVELS - 1) for step in range(1, LEVELS + 1)})
