"""Multi-level aggregation, the MLA decoder of SETR (https://arxiv.org/abs/2012.15840)."""

import torch
from torch import Tensor, nn

from nnunet_vit.blocks.resolution import resized
from nnunet_vit.modeling.backbone import ViTBackbone, evenly_spaced
from nnunet_vit_setr.blocks import convolution, enlarged, size_of

LEVELS = 4
UPSCALING = 4  # of the streams, before the logits go on to the image's size


class MultiLevelAggregation(nn.Module):
    """Backbone and four streams, one per depth of the ViT, each fed by all that are deeper.

    Args:
        backbone: built, loaded and tuned.
        num_classes: channels of the logits.
        hidden_size: channels of the streams.
        deep_supervision: return logits of each stream too.
    """

    def __init__(
        self, backbone: ViTBackbone, num_classes: int, hidden_size: int, deep_supervision: bool
    ) -> None:
        """Build the streams for the backbone's width and depth."""
        super().__init__()
        self.backbone = backbone
        self.layers = evenly_spaced(backbone.depth, LEVELS)[::-1]
        narrow = max(hidden_size // 2, 8)
        self.entries = nn.ModuleList(
            nn.Sequential(
                nn.GroupNorm(1, backbone.embed_dim), convolution(backbone.embed_dim, hidden_size, 1)
            )
            for _ in self.layers
        )
        self.streams = nn.ModuleList(
            nn.Sequential(
                convolution(hidden_size, hidden_size, kernel_size=3),
                convolution(hidden_size, hidden_size, kernel_size=3),
                convolution(hidden_size, narrow, kernel_size=3),
            )
            for _ in self.layers
        )
        self.classifier = nn.Conv2d(narrow * LEVELS, num_classes, kernel_size=1)
        self.deep_supervision = deep_supervision
        self.stream_classifiers = nn.ModuleList(
            nn.Conv2d(narrow, num_classes, kernel_size=1)
            for _ in (self.layers if deep_supervision else [])
        )

    def forward(self, images: Tensor) -> Tensor | list[Tensor]:
        """Map images (B, C, H, W) to logits (B, num_classes, H, W), or a list, finest first.

        The others are those of the streams, the deepest first, a quarter of a patch per pixel.
        """
        streams = self.aggregate(self.backbone.feature_maps(images, self.layers))
        size = enlarged(streams[0], UPSCALING, images)
        # classes are fewer than channels, and a 1 x 1 convolution may as well come before bilinear
        # upsampling: the logits are the same
        fused = resized(self.classifier(torch.cat(streams, dim=1)), size)
        logits = resized(fused, size_of(images))
        if not self.deep_supervision:
            return logits
        pairs = zip(self.stream_classifiers, streams, strict=True)
        return [logits, *(resized(classify(stream), size) for classify, stream in pairs)]

    def aggregate(self, maps: list[Tensor]) -> list[Tensor]:
        """Return the streams (B, hidden_size / 2, h, w) of maps (B, embed_dim, h, w)."""
        entered = [enter(level) for enter, level in zip(self.entries, maps, strict=True)]
        sums = [entered[0]]
        for shallower in entered[1:]:
            sums.append(sums[-1] + shallower)
        return [stream(level) for stream, level in zip(self.streams, sums, strict=True)]
