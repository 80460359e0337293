"""What the ViT gives: per level a map and the one token that stands for the whole image."""

from collections.abc import Sequence

from torch import Tensor

from nnunet_vit.modeling.backbone import ViTBackbone

LEVELS = 4

# a map and what goes with it
Level = tuple[Tensor, Tensor]


def levels_of(
    backbone: ViTBackbone, images: Tensor, layers: Sequence[int], with_summary: bool
) -> list[Level]:
    """Return maps (B, embed_dim, h, w) with summaries (B, embed_dim), in the order of the layers.

    The summary is the first token that stands for no patch, which is the class token where there
    is one. The mean of the map stands in where the ViT has no such token, or none is wanted.
    """
    if with_summary and backbone.prefix_tokens:
        found = backbone.feature_maps_and_prefix(images, layers)
        return [(features, prefix[:, 0]) for features, prefix in found]
    maps = backbone.feature_maps(images, layers)
    return [(features, features.mean(dim=(2, 3))) for features in maps]
