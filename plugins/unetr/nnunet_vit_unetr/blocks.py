"""What the UNETR decoder is made of: residual blocks, upsampling, and a level's way up."""

import math

from torch import Tensor, nn
from torch.nn import functional

from nnunet_vit.blocks.resolution import Size


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions beside a shortcut."""

    def __init__(self, before: int, after: int) -> None:
        """Build them; the shortcut has a 1 x 1 convolution where the widths differ."""
        super().__init__()
        self.first = convolution(before, after, kernel_size=3)
        self.second = convolution(after, after, kernel_size=3)
        self.shortcut = nn.Identity() if before == after else convolution(before, after, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Map (B, before, h, w) to (B, after, h, w)."""
        inner = functional.leaky_relu(self.first(features), 0.01)
        return functional.leaky_relu(self.second(inner) + self.shortcut(features), 0.01)


class Upsampling(nn.Module):
    """To another width and a size up to twice as large, or larger where the last step must."""

    def __init__(self, before: int, after: int, deconvolution: bool) -> None:
        """Build a 2 x 2 deconvolution, or a 1 x 1 convolution before bilinear interpolation."""
        super().__init__()
        self.project = (
            nn.ConvTranspose2d(before, after, kernel_size=2, stride=2)
            if deconvolution
            else nn.Conv2d(before, after, kernel_size=1)
        )

    def forward(self, features: Tensor, size: Size) -> Tensor:
        """Map (B, before, h, w) to (B, after, *size)."""
        features = self.project(features)
        if features.shape[-2:] == size:
            return features
        return functional.interpolate(features, size=size, mode="bilinear")


class SkipBranch(nn.Module):
    """A level of the ViT on its way up to a decoder step: upsampling and a block per step."""

    def __init__(self, embed_dim: int, width: int, deconvolutions: list[bool]) -> None:
        """Build one stage per entry; it says whether that stage's upsampling is learned."""
        super().__init__()
        self.upsamplings = nn.ModuleList(
            Upsampling(width if stage else embed_dim, width, learned)
            for stage, learned in enumerate(deconvolutions)
        )
        self.blocks = nn.ModuleList(ResidualBlock(width, width) for _ in deconvolutions)

    def forward(self, features: Tensor, sizes: list[Size]) -> Tensor:
        """Map (B, embed_dim, h, w) through the sizes of its stages to (B, width, *sizes[-1])."""
        for upsample, block, size in zip(self.upsamplings, self.blocks, sizes, strict=True):
            features = block(upsample(features, size))
        return features


def convolution(before: int, after: int, kernel_size: int) -> nn.Sequential:
    """Return a convolution and group normalization, which is right for any batch size."""
    groups = math.gcd(8, after // 4, after)  # of four channels or more: alone, a flat one is noise
    return nn.Sequential(
        nn.Conv2d(before, after, kernel_size, padding=kernel_size // 2, bias=False),
        nn.GroupNorm(groups, after),
    )
