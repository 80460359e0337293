"""The middle and the last feature map, mixed by a gate at each patch, then classified."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from nnunet_vit.modeling.backbone import ViTBackbone


class TwolevelSegmentation(nn.Module):
    """Backbone and decoder."""

    def __init__(
        self, backbone: ViTBackbone, num_classes: int, hidden_size: int, dropout: float
    ) -> None:
        """Build the decoder for the backbone's width and depth."""
        super().__init__()
        self.backbone = backbone
        self.layers = [(backbone.depth - 1) // 2, -1]
        self.middle = projection(backbone.embed_dim, hidden_size)
        self.last = projection(backbone.embed_dim, hidden_size)
        self.gate = nn.Conv2d(2 * hidden_size, hidden_size, kernel_size=3, padding=1)
        self.dropout = nn.Dropout2d(dropout)
        self.classifier = nn.Conv2d(hidden_size, num_classes, kernel_size=1)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, C, H, W) to logits (B, num_classes, H, W)."""
        maps = self.backbone.feature_maps(images, self.layers)  # two of (B, embed_dim, h, w)
        middle, last = self.middle(maps[0]), self.last(maps[1])
        share = self.gate(torch.cat([middle, last], dim=1)).sigmoid()
        mixed = share * middle + (1 - share) * last  # (B, hidden_size, h, w)
        logits = self.classifier(self.dropout(mixed))
        return functional.interpolate(logits, size=images.shape[-2:], mode="bilinear")


def projection(before: int, after: int) -> nn.Sequential:
    """Return normalization and a linear layer per patch."""
    return nn.Sequential(nn.GroupNorm(1, before), nn.Conv2d(before, after, kernel_size=1))
