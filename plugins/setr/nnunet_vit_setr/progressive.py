"""Progressive upsampling, the PUP decoder of SETR (https://arxiv.org/abs/2012.15840)."""

from torch import Tensor, nn

from nnunet_vit.blocks.resolution import Size, resized, upsamplings
from nnunet_vit.modeling.backbone import ViTBackbone
from nnunet_vit_setr.blocks import convolution, enlarged, size_of


class ProgressiveUpsampling(nn.Module):
    """Backbone, then convolutions and upsamplings in turn; the last one ends at the image's size.

    Args:
        backbone: built, loaded and tuned.
        num_classes: channels of the logits.
        hidden_size: channels of the convolutions.
        deep_supervision: return logits of the coarser upsamplings too.
    """

    def __init__(
        self, backbone: ViTBackbone, num_classes: int, hidden_size: int, deep_supervision: bool
    ) -> None:
        """Build a convolution per doubling from the patch to the pixel."""
        super().__init__()
        self.backbone = backbone
        self.normalization = nn.GroupNorm(1, backbone.embed_dim)
        steps = upsamplings(backbone.patch_size)
        self.convolutions = nn.ModuleList(
            convolution(hidden_size if step else backbone.embed_dim, hidden_size, kernel_size=3)
            for step in range(steps)
        )
        self.deep_supervision = deep_supervision
        self.classifiers = nn.ModuleList(
            nn.Conv2d(hidden_size, num_classes, kernel_size=1)
            for _ in range(steps if deep_supervision else 1)
        )

    def forward(self, images: Tensor) -> Tensor | list[Tensor]:
        """Map images (B, C, H, W) to logits (B, num_classes, H, W), or a list, finest first.

        Each coarser level has half the resolution; only the finest may be less than twice another.
        """
        (features,) = self.backbone.feature_maps(images, [-1])
        sizes = self.sizes(features, images)
        steps = [self.convolutions[0](self.normalization(features))]
        for convolve, size in zip(self.convolutions[1:], sizes[:-1], strict=True):
            steps.append(convolve(resized(steps[-1], size)))
        # classes are fewer than channels, and a 1 x 1 convolution may as well come before bilinear
        # upsampling: the logits are the same
        logits = [
            resized(classify(step), size)
            for classify, step, size in zip(
                self.classifiers, steps[::-1], sizes[::-1], strict=False
            )
        ]
        return logits if self.deep_supervision else logits[0]

    def sizes(self, features: Tensor, images: Tensor) -> list[Size]:
        """Return each doubling's (height, width), coarsest first, the images' at the end."""
        last = len(self.convolutions)
        doubled = [enlarged(features, 1 << step, images) for step in range(1, last)]
        return [*doubled, size_of(images)]
