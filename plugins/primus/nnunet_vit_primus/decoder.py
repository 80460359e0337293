"""The decoder of Primus (https://arxiv.org/abs/2503.01835) in 2D, and a multi-scale variant."""

from itertools import pairwise

from timm.layers import LayerNorm2d
from torch import Tensor, nn

from nnunet_vit.blocks.resolution import resized, upsamplings
from nnunet_vit.modeling.backbone import ViTBackbone, evenly_spaced
from nnunet_vit_primus.expansion import doubling, stage, widths

LEVELS = 4  # of the ViT, in the multi-scale variant


class Primus(nn.Module):
    """Backbone and one chain of upsamplings from its last map to the logits.

    Args:
        backbone: built, loaded and tuned.
        num_classes: channels of the logits.
    """

    def __init__(self, backbone: ViTBackbone, num_classes: int) -> None:
        """Build the chain for the backbone's width and patch."""
        super().__init__()
        self.backbone = backbone
        channels = widths(backbone.embed_dim, num_classes, upsamplings(backbone.patch_size))
        self.normalization = LayerNorm2d(backbone.embed_dim)
        self.stages = nn.Sequential(*(stage(*pair) for pair in pairwise(channels[:-1])))
        self.classifier = doubling(*channels[-2:])

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, C, H, W) to logits (B, num_classes, H, W)."""
        (features,) = self.backbone.feature_maps(images, [-1])
        return resized(
            self.classifier(self.stages(self.normalization(features))), images.shape[-2:]
        )


class MultiScalePrimus(nn.Module):
    """Backbone and the same chain; after each doubling a shallower map joins, itself expanded.

    Args:
        backbone: built, loaded and tuned.
        num_classes: channels of the logits.
        deep_supervision: return logits of the coarser stages too.
    """

    def __init__(self, backbone: ViTBackbone, num_classes: int, deep_supervision: bool) -> None:
        """Build a chain per level: the last map has every doubling, others 1, 2 and 3."""
        super().__init__()
        self.backbone = backbone
        channels = widths(backbone.embed_dim, num_classes, upsamplings(backbone.patch_size))
        inner = channels[:-1]
        stages = len(inner) - 1
        self.layers = evenly_spaced(backbone.depth, LEVELS)[::-1][: stages + 1]
        self.normalizations = nn.ModuleList(LayerNorm2d(inner[0]) for _ in self.layers)
        self.stages = nn.ModuleList(stage(*pair) for pair in pairwise(inner))
        self.branches = nn.ModuleList(
            nn.Sequential(*(stage(*pair) for pair in pairwise(inner[: joined + 1])))
            for joined in range(1, len(self.layers))
        )
        self.classifier = doubling(*channels[-2:])
        self.deep_supervision = deep_supervision
        self.coarser = nn.ModuleList(
            nn.Conv2d(width, num_classes, kernel_size=1)
            for width in (inner[:0:-1] if deep_supervision else [])
        )

    def forward(self, images: Tensor) -> Tensor | list[Tensor]:
        """Map images (B, C, H, W) to logits (B, num_classes, H, W), or a list, finest first.

        The coarser ones have 2, 4, … times fewer pixels along an edge than the doubled patch grid.
        """
        maps = self.backbone.feature_maps(images, self.layers)
        maps = [norm(level) for norm, level in zip(self.normalizations, maps, strict=True)]
        features, steps = maps[0], []
        for index, expand in enumerate(self.stages):
            features = expand(features)
            if index < len(self.branches):
                features = features + self.branches[index](maps[index + 1])
            steps.append(features)
        logits = resized(self.classifier(features), images.shape[-2:])
        if not self.deep_supervision:
            return logits
        coarser = zip(self.coarser, reversed(steps), strict=True)
        return [logits, *(classify(step) for classify, step in coarser)]
