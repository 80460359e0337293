"""From tokens to maps of strides p/4, p/2, p and 2p for a patch of p pixels."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from nnunet_vit_dpt.tokens import Level

NARROWEST = 16  # channels of the finest maps on very small ViTs


class Reassembly(nn.ModuleList):
    """A stage per level: readout, projection, change of scale, channels of the fusion.

    Args:
        embed_dim: channels of the ViT.
        hidden_size: channels of the fusion.
        readout: project, add or ignore.
        as_published: see DptDecoder.
    """

    def __init__(
        self, embed_dim: int, hidden_size: int, readout: str, as_published: bool = False
    ) -> None:
        """Build the stages; an eighth of the ViT's channels at the finest, all at the coarsest."""
        eighth, quarter, half, whole = (
            max(embed_dim // share, NARROWEST) for share in (8, 4, 2, 1)
        )
        scales = (
            (eighth, nn.ConvTranspose2d(eighth, eighth, kernel_size=4, stride=4)),
            (quarter, nn.ConvTranspose2d(quarter, quarter, kernel_size=2, stride=2)),
            (half, nn.Identity()),
            (whole, Halving(whole, as_published)),
        )
        super().__init__(
            nn.Sequential(
                READOUTS[readout](embed_dim),
                nn.Conv2d(embed_dim, width, kernel_size=1),
                rescale,
                nn.Conv2d(width, hidden_size, kernel_size=3, padding=1, bias=False),
            )
            for width, rescale in scales
        )

    def forward(self, levels: list[Level]) -> list[Tensor]:
        """Return maps (B, hidden_size, …) at the four strides, finest first."""
        return [stage(level) for stage, level in zip(self, levels, strict=True)]


class Halving(nn.Conv2d):
    """A 3 x 3 convolution with half the resolution, rounded up.

    With a stride, as published, each output stands half a place before the two that it is for
    (where the number of places is even). Means of an unstrided one stand in their middle.
    """

    def __init__(self, width: int, as_published: bool) -> None:
        """Build the one convolution."""
        super().__init__(width, width, kernel_size=3, padding=1, stride=2 if as_published else 1)

    def forward(self, features: Tensor) -> Tensor:
        """Map (B, width, h, w) to (B, width, h / 2, w / 2)."""
        features = super().forward(features)
        if self.stride != (1, 1):
            return features
        odd = [edge % 2 for edge in features.shape[-2:]]
        if any(odd):  # an even number of places for the means, over the same area
            size = [edge + one for edge, one in zip(features.shape[-2:], odd, strict=True)]
            features = functional.interpolate(features, size=size, mode="bilinear")
        return functional.avg_pool2d(features, kernel_size=2)


class IgnoreReadout(nn.Module):
    """The map alone."""

    def __init__(self, embed_dim: int) -> None:
        """Build nothing."""
        super().__init__()

    def forward(self, level: Level) -> Tensor:
        """Return the map (B, embed_dim, h, w)."""
        return level[0]


class AddReadout(IgnoreReadout):
    """The map with the summary (B, embed_dim) added at each place."""

    def forward(self, level: Level) -> Tensor:
        """Return the sum (B, embed_dim, h, w)."""
        features, summary = level
        return features + summary[:, :, None, None]


class ProjectReadout(nn.Module):
    """Map and summary side by side, through a linear layer and GELU."""

    def __init__(self, embed_dim: int) -> None:
        """Build the linear layer."""
        super().__init__()
        self.linear = nn.Linear(2 * embed_dim, embed_dim)

    def forward(self, level: Level) -> Tensor:
        """Return the projection (B, embed_dim, h, w)."""
        features, summary = level
        tokens = features.movedim(1, -1)  # (B, h, w, embed_dim)
        both = torch.cat([tokens, summary[:, None, None].expand_as(tokens)], dim=-1)
        return functional.gelu(self.linear(both)).movedim(-1, 1)


READOUTS = {"project": ProjectReadout, "add": AddReadout, "ignore": IgnoreReadout}
