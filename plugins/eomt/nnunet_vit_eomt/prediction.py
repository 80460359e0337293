"""What a query predicts: a class, and a mask by comparing itself with upscaled patches."""

import math

import torch
from timm.layers import LayerNorm2d
from torch import Tensor, nn

Stage = dict[str, Tensor]


class Prediction(nn.Module):
    """Classes and masks of queries; the same parameters serve each block.

    Args:
        embed_dim: channels of queries and maps.
        num_classes: besides "no object".
        upsamplings: of the maps' resolution.
    """

    def __init__(self, embed_dim: int, num_classes: int, upsamplings: int) -> None:
        """Build classifier, mask embedding and upscaling."""
        super().__init__()
        self.classifier = nn.Linear(embed_dim, num_classes + 1)
        self.mask_embedding = nn.Sequential(
            nn.Linear(embed_dim, embed_dim),
            nn.GELU(),
            nn.Linear(embed_dim, embed_dim),
            nn.GELU(),
            nn.Linear(embed_dim, embed_dim),
        )
        self.upscaling = nn.Sequential(*(doubling(embed_dim) for _ in range(upsamplings)))

    def forward(self, queries: Tensor, maps: Tensor) -> Stage:
        """Predict from queries (B, Q, embed_dim) and maps (B, embed_dim, rows, columns).

        Shapes: class_logits (B, Q, num_classes + 1), the last for "no object"; mask_logits
        (B, Q, rows * 2**upsamplings, columns * 2**upsamplings).
        """
        masks = torch.einsum("bqc,bchw->bqhw", self.mask_embedding(queries), self.upscaling(maps))
        return {"class_logits": self.classifier(queries), "mask_logits": masks}


def doubling(channels: int) -> nn.Sequential:
    """Return a learned upscaling by 2, and a look at the neighbours in each channel."""
    return nn.Sequential(
        nn.ConvTranspose2d(channels, channels, kernel_size=2, stride=2),
        nn.GELU(),
        nn.Conv2d(channels, channels, kernel_size=3, padding=1, groups=channels, bias=False),
        LayerNorm2d(channels),
    )


def upsamplings_to(stride: int, patch_size: int) -> int:
    """Return how many upsamplings bring patches to about that stride, both in pixels."""
    return max(0, round(math.log2(patch_size / stride)))
