"""The decoder of UNETR (https://arxiv.org/abs/2103.10504) in 2D, for any patch and depth."""

import torch
from torch import Tensor, nn

from nnunet_vit.blocks.resolution import Size
from nnunet_vit.modeling.backbone import ViTBackbone, evenly_spaced
from nnunet_vit_unetr import UnetrOptions
from nnunet_vit_unetr.blocks import ResidualBlock, SkipBranch, Upsampling

LEVELS = 4  # of the ViT, and steps from its grid to the image
NARROWEST = 8  # channels below which group normalization and residual blocks make no sense


class UnetrSegmentation(nn.Module):
    """Backbone and U-shaped decoder.

    Three steps double the resolution of the last map and meet a shallower map each, the fourth ends
    at the image's size, whatever is left to it, and meets the image.

    Args:
        backbone: built, loaded and tuned.
        num_classes: channels of the logits.
        in_channels: of the images.
        options: as the run file says; each step after the first has half of its channels.
        deep_supervision: return logits of the coarser steps too.
    """

    def __init__(
        self,
        backbone: ViTBackbone,
        num_classes: int,
        in_channels: int,
        options: UnetrOptions,
        deep_supervision: bool,
    ) -> None:
        """Build the decoder for the backbone's width, depth and patch."""
        super().__init__()
        self.backbone = backbone
        width, patch = backbone.embed_dim, backbone.patch_size
        self.layers = evenly_spaced(backbone.depth, LEVELS)[::-1]
        self.normalizations = nn.ModuleList(nn.GroupNorm(1, width) for _ in self.layers)
        deconvolution = options.upsampling == "deconvolution"
        # a step that is shorter than a doubling, as the last one of patch 14, is never learned
        learned = [deconvolution and 1 << step <= patch for step in range(1, LEVELS + 1)]
        widths = [max(options.hidden_size >> step, NARROWEST) for step in range(LEVELS)]
        self.branches = nn.ModuleList(
            SkipBranch(width, widths[step], learned[: step + 1]) for step in range(LEVELS - 1)
        )
        self.image_block = ResidualBlock(in_channels, widths[-1])
        self.upsamplings = nn.ModuleList(
            Upsampling(before, after, doubled)
            for before, after, doubled in zip([width, *widths], widths, learned, strict=False)
        )
        self.blocks = nn.ModuleList(ResidualBlock(2 * after, after) for after in widths)
        # with a small patch a step before the last may have the image's size already: no level
        coarser = [step for step in range(LEVELS - 1) if 2 << step < patch]
        self.outputs = [LEVELS - 1, *(coarser[::-1] if deep_supervision else [])]
        self.classifiers = nn.ModuleList(
            nn.Conv2d(widths[step], num_classes, kernel_size=1) for step in self.outputs
        )
        self.deep_supervision = deep_supervision

    def forward(self, images: Tensor) -> Tensor | list[Tensor]:
        """Map images (B, C, H, W) to logits (B, num_classes, H, W), or a list, finest first.

        The coarser ones have the resolutions of the steps: patch / 8, patch / 4 and patch / 2.
        """
        steps = self.decode(images)
        logits = [
            classify(steps[step])
            for classify, step in zip(self.classifiers, self.outputs, strict=True)
        ]
        return logits if self.deep_supervision else logits[0]

    def decode(self, images: Tensor) -> list[Tensor]:
        """Return the features after each step, coarsest first."""
        maps = self.backbone.feature_maps(images, self.layers)
        maps = [norm(level) for norm, level in zip(self.normalizations, maps, strict=True)]
        sizes = step_sizes(maps[0], images)
        skips = [
            branch(level, sizes[: step + 1])
            for step, (branch, level) in enumerate(zip(self.branches, maps[1:], strict=True))
        ]
        skips.append(self.image_block(images))
        features, steps = maps[0], []
        for upsample, block, skip, size in zip(
            self.upsamplings, self.blocks, skips, sizes, strict=True
        ):
            features = block(torch.cat([upsample(features, size), skip], dim=1))
            steps.append(features)
        return steps


def step_sizes(features: Tensor, images: Tensor) -> list[Size]:
    """Return each step's (height, width): doubled up to the image's, which the last one has."""
    (height, width), (bottom, right) = features.shape[-2:], images.shape[-2:]
    doubled = [
        (min(height << step, bottom), min(width << step, right)) for step in range(1, LEVELS)
    ]
    return [*doubled, (bottom, right)]
