"""The mask transformer of Segmenter (https://arxiv.org/abs/2105.05633)."""

import torch
from timm.layers import LayerNorm2d
from torch import Tensor, nn
from torch.nn import functional

from nnunet_vit.modeling.backbone import ViTBackbone
from nnunet_vit_segmenter.masks import ClassScale, Masks
from nnunet_vit_segmenter.transformer import Layer

STD = 0.02  # of linear weights at the start
FEWEST_CLASSES = 3  # a norm over one leaves nothing, over two a sign that hardly learns
NORM_EPS = 1e-5  # the published one, which cosines of a few classes notice


class Segmenter(nn.Module):
    """Backbone, layers over its last tokens and one token per class, masks as their products.

    Args:
        backbone: built, loaded and tuned.
        decoder: the mask transformer.
    """

    def __init__(self, backbone: ViTBackbone, decoder: "MaskTransformer") -> None:
        """Put the decoder behind the backbone."""
        super().__init__()
        self.backbone = backbone
        self.decoder = decoder

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, C, H, W) to logits (B, num_classes, H, W)."""
        (features,) = self.backbone.feature_maps(images, [-1])
        logits: Tensor = self.decoder(features)
        if logits.shape[-2:] == images.shape[-2:]:
            return logits
        return functional.interpolate(logits, size=images.shape[-2:], mode="bilinear")


class MaskTransformer(nn.Module):
    """From one feature map to the classes' masks.

    Args:
        embed_dim: channels of the map.
        num_classes: masks.
        layers: in which patches and classes attend to each other.
        hidden_size: channels of their tokens.
        upsamplings: of the resolution, from patches to masks.
        class_norm: normalize masks over the classes as the paper does, where there are enough.
        dropout: share of values dropped in the layers in training.
    """

    def __init__(
        self,
        embed_dim: int,
        num_classes: int,
        layers: int,
        hidden_size: int,
        upsamplings: int,
        class_norm: bool,
        dropout: float,
    ) -> None:
        """Build it; random weights begin as the paper's."""
        super().__init__()
        self.normalization = nn.LayerNorm(embed_dim)
        self.projection = nn.Linear(embed_dim, hidden_size)
        self.classes = nn.Parameter(torch.empty(1, num_classes, hidden_size))
        self.layers = nn.Sequential(*(Layer(hidden_size, dropout) for _ in range(layers)))
        self.last_normalization = nn.LayerNorm(hidden_size)
        self.apply(begin_small)
        nn.init.trunc_normal_(self.classes, std=STD)
        self.masks = Masks(hidden_size, upsamplings)
        over_classes = class_norm and num_classes >= FEWEST_CLASSES
        published = LayerNorm2d(num_classes, eps=NORM_EPS)
        self.mask_norm = published if over_classes else ClassScale(num_classes)

    def forward(self, features: Tensor) -> Tensor:
        """Map features (B, embed_dim, h, w) to masks (B, num_classes, h', w')."""
        patches = self.projection(self.normalization(features.flatten(2).mT))
        tokens = torch.cat([patches, self.classes.expand(patches.shape[0], -1, -1)], dim=1)
        tokens = self.last_normalization(self.layers(tokens))
        count = self.classes.shape[1]
        patches, classes = tokens[:, :-count], tokens[:, -count:]
        patches = patches.mT.unflatten(2, features.shape[-2:])
        masks: Tensor = self.mask_norm(self.masks(patches, classes))
        return masks


def begin_small(module: nn.Module) -> None:
    """Give a linear layer the weights that ViTs begin with."""
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=STD)
        nn.init.zeros_(module.bias)
