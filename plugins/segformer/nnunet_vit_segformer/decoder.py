"""All-MLP fusion after SegFormer (https://arxiv.org/abs/2105.15203), for a plain ViT."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from nnunet_vit.blocks.resolution import upsamplings
from nnunet_vit.modeling.backbone import ViTBackbone, evenly_spaced
from nnunet_vit_segformer import SegformerOptions
from nnunet_vit_segformer.refinement import Refinement, convolution, normalization

LEVELS = 4


class SegformerSegmentation(nn.Module):
    """Backbone, fusion of four levels, upsampling to the image.

    Args:
        backbone: built, loaded and tuned.
        num_classes: channels of the logits.
        in_channels: of the images.
        options: as the run file says; progressive refines at each doubling, plain upsamples the
            logits at once.
    """

    def __init__(
        self, backbone: ViTBackbone, num_classes: int, in_channels: int, options: SegformerOptions
    ) -> None:
        """Build the decoder for the backbone's width, depth and patch."""
        super().__init__()
        self.backbone = backbone
        self.layers = distinct_levels(backbone.depth)
        progressive, hidden_size = options.variant == "progressive", options.hidden_size
        fusion = LevelFusion if progressive else PublishedFusion
        self.fusion = fusion(len(self.layers), backbone.embed_dim, hidden_size)
        self.dropout = nn.Dropout2d(options.dropout)
        stages = upsamplings(backbone.patch_size) if progressive else 0
        self.refinement = Refinement(stages, hidden_size, in_channels, options.detail_channels)
        self.classifier = nn.Conv2d(self.refinement.width, num_classes, kernel_size=1)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, C, H, W) to logits (B, num_classes, H, W)."""
        maps = self.backbone.feature_maps(images, self.layers)
        features = self.refinement(self.dropout(self.fusion(maps)), images)
        logits: Tensor = self.classifier(features)
        if logits.shape[-2:] == images.shape[-2:]:
            return logits
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


class PublishedFusion(nn.Module):
    """The paper's: levels normalized by token, linear layers, the deepest level first, ReLU.

    Only the norm before the ReLU is another, one over groups: statistics of a batch need large
    ones. The norm by token is the one with which the paper's encoder ends each level.
    """

    def __init__(self, levels: int, embed_dim: int, hidden_size: int) -> None:
        """Build the linear layers, those of the levels from shallow to deep."""
        super().__init__()
        self.normalizations = nn.ModuleList(nn.LayerNorm(embed_dim) for _ in range(levels))
        self.projections = nn.ModuleList(nn.Linear(embed_dim, hidden_size) for _ in range(levels))
        self.fuse = nn.Sequential(
            nn.Conv2d(levels * hidden_size, hidden_size, kernel_size=1, bias=False),
            normalization(hidden_size),
            nn.ReLU(),
        )

    def forward(self, maps: list[Tensor]) -> Tensor:
        """Fuse maps (B, embed_dim, h, w) to one (B, hidden_size, h, w)."""
        layers = zip(maps, self.normalizations, self.projections, strict=True)
        projected = [
            project(normalize(level.movedim(1, -1))).movedim(-1, 1)
            for level, normalize, project in layers
        ]
        fused: Tensor = self.fuse(torch.cat(projected[::-1], dim=1))
        return fused


def distinct_levels(depth: int) -> list[int]:
    """Return four block numbers that end with the last; fewer where the ViT has fewer blocks."""
    return sorted(set(evenly_spaced(depth, LEVELS)))
