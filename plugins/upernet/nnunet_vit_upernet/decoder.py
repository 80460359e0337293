"""UPerNet (https://arxiv.org/abs/1807.10221): context pooled at four scales, into a pyramid."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from nnunet_vit.blocks.pyramid import LEVELS, Pyramid, grid_means, normalization
from nnunet_vit.modeling.backbone import ViTBackbone, evenly_spaced

POOL_SCALES = (1, 2, 3, 6)  # cells per edge


class UperNetSegmentation(nn.Module):
    """Backbone, pyramid, decoder, classifier.

    Args:
        backbone: built, loaded and tuned.
        num_classes: channels of the logits.
        hidden_size: channels of every decoder map.
        dropout: share of fused channels dropped in training.
        deep_supervision: return logits of the coarser levels too.
    """

    def __init__(
        self,
        backbone: ViTBackbone,
        num_classes: int,
        hidden_size: int,
        dropout: float,
        deep_supervision: bool,
    ) -> None:
        """Build the decoder for the backbone's width and depth."""
        super().__init__()
        self.backbone = backbone
        self.deep_supervision = deep_supervision
        self.layers = evenly_spaced(backbone.depth, LEVELS)
        self.pyramid = Pyramid(backbone.embed_dim)
        self.decoder = UperNetDecoder(self.pyramid.widths, hidden_size)
        self.dropout = nn.Dropout2d(dropout)
        # one for all levels: none is left without a gradient where the coarser are not wanted
        self.classifier = nn.Conv2d(hidden_size, num_classes, kernel_size=1)

    def forward(self, images: Tensor) -> Tensor | list[Tensor]:
        """Map images (B, C, H, W) to logits (B, num_classes, H, W), or a list of them.

        Shapes: the list's further levels have strides p/2, p and 2p of a patch of p pixels.
        """
        maps = self.pyramid(self.backbone.feature_maps(images, self.layers))
        fused, *coarser = self.decoder(maps)
        finest = resized(self.classifier(self.dropout(fused)), images)
        if not self.deep_supervision:
            return finest
        return [finest, *(self.classifier(level) for level in coarser)]


class UperNetDecoder(nn.Module):
    """Pyramid pooling on the coarsest map, a top-down path over the others, fusion of all."""

    def __init__(self, widths: list[int], hidden_size: int) -> None:
        """Build it for maps of these numbers of channels, finest first."""
        super().__init__()
        self.pooling = PyramidPooling(widths[-1], hidden_size)
        self.laterals = nn.ModuleList(convolution(width, hidden_size, 1) for width in widths[:-1])
        self.smoothing = nn.ModuleList(
            convolution(hidden_size, hidden_size, 3) for _ in widths[:-1]
        )
        self.fuse = convolution(len(widths) * hidden_size, hidden_size, 3)

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """Return the fused map at the finest stride, then each coarser level at its own."""
        above = self.pooling(maps[-1])
        levels = [above]
        for lateral, smooth, features in zip(
            reversed(self.laterals), reversed(self.smoothing), reversed(maps[:-1]), strict=True
        ):
            features = lateral(features)
            above = features + resized(above, features)
            levels.insert(0, smooth(above))
        finest, *coarser = levels
        fused = self.fuse(torch.cat([finest, *(resized(level, finest) for level in coarser)], 1))
        return [fused, *coarser]


class PyramidPooling(nn.Module):
    """The map itself beside its means over grids of 1, 4, 9 and 36 cells, fused."""

    def __init__(self, width: int, hidden_size: int) -> None:
        """Build a convolution per grid and the one over all."""
        super().__init__()
        self.branches = nn.ModuleList(convolution(width, hidden_size, 1) for _ in POOL_SCALES)
        self.fuse = convolution(width + len(POOL_SCALES) * hidden_size, hidden_size, 3)

    def forward(self, features: Tensor) -> Tensor:
        """Map (B, width, h, w) to (B, hidden_size, h, w)."""
        pooled = (
            resized(branch(grid_means(features, scale, scale)), features)
            for branch, scale in zip(self.branches, POOL_SCALES, strict=True)
        )
        fused: Tensor = self.fuse(torch.cat([features, *pooled], dim=1))
        return fused


def convolution(before: int, after: int, kernel_size: int) -> nn.Sequential:
    """Return convolution, normalization and ReLU."""
    return nn.Sequential(
        nn.Conv2d(before, after, kernel_size, padding=kernel_size // 2, bias=False),
        normalization(after),
        nn.ReLU(),
    )


def resized(features: Tensor, other: Tensor) -> Tensor:
    """Return the features at the height and width of the other tensor."""
    return functional.interpolate(features, size=other.shape[-2:], mode="bilinear")
