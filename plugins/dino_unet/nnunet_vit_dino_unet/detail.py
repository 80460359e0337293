"""The detail branch: a convolutional pyramid of the image on levels that fit the ViT's grid."""

from itertools import pairwise

from torch import Tensor, nn

from nnunet_vit.blocks.resolution import Size, resized, upsamplings
from nnunet_vit_dino_unet.layers import convolution

EXCHANGED = 3  # levels that exchange with the ViT: half a patch, a patch, two patches
NARROWEST = 8  # channels


class DetailBranch(nn.Module):
    """The image's own features from its full resolution down to two patches per place.

    Attributes:
        widths: channels per level, finest first.
    """

    def __init__(self, in_channels: int, hidden_size: int, patch_size: int) -> None:
        """Build one convolution per level."""
        super().__init__()
        finer = upsamplings(patch_size) - 1  # levels finer than half a patch
        halved = [max(hidden_size >> step, NARROWEST) for step in range(finer, 0, -1)]
        self.widths = [*halved, *[hidden_size] * EXCHANGED]
        self.convolutions = nn.ModuleList(
            convolution(before, after) for before, after in pairwise([in_channels, *self.widths])
        )

    def forward(self, images: Tensor, sizes: list[Size]) -> list[Tensor]:
        """Map images (B, C, H, W) to one map (B, width, *size) per level.

        Means of 2 x 2 places precede each convolution: one with a stride would move what it sees.
        """
        levels, features = [], images
        for convolve, size in zip(self.convolutions, sizes, strict=True):
            features = convolve(resized(features, size))
            levels.append(features)
        return levels


def level_sizes(image: Size, patch_size: int) -> list[Size]:
    """Return each level's (height, width): the image's, multiples of the grid's, half the grid's.

    Where the patch is no power of two, such as 14, the first step is the shorter one.
    """
    rows, columns = (edge // patch_size for edge in image)
    steps = range(upsamplings(patch_size) - 1, -1, -1)
    multiples = [(rows << step, columns << step) for step in steps]
    return [image, *multiples, ((rows + 1) // 2, (columns + 1) // 2)]
