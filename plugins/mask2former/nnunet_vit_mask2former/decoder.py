"""Mask2Former (https://arxiv.org/abs/2112.01527) on a plain ViT."""

from torch import Tensor, nn

from nnunet_vit.blocks.mask_classification import semantic_logits
from nnunet_vit.blocks.pyramid import LEVELS, Pyramid
from nnunet_vit.modeling.backbone import ViTBackbone, evenly_spaced
from nnunet_vit_mask2former import Mask2FormerOptions
from nnunet_vit_mask2former.pixel_decoder import PixelDecoder
from nnunet_vit_mask2former.query_decoder import QueryDecoder


class Mask2FormerSegmentation(nn.Module):
    """Backbone, pyramid, features of the pixels, queries."""

    def __init__(
        self, backbone: ViTBackbone, num_classes: int, options: Mask2FormerOptions
    ) -> None:
        """Build the decoders for the backbone's width and depth."""
        super().__init__()
        self.backbone = backbone
        self.layers = evenly_spaced(backbone.depth, LEVELS)
        self.pyramid = Pyramid(backbone.embed_dim)
        self.pixel_decoder = PixelDecoder(
            self.pyramid.widths,
            options.hidden_size,
            options.encoder_layers,
            options.heads,
            options.feedforward_size // 2,
            options.attention_points,
            options.dropout,
        )
        self.query_decoder = QueryDecoder(
            num_classes,
            options.hidden_size,
            max(options.queries, num_classes),  # each class needs one of its own
            options.decoder_layers,
            options.heads,
            options.feedforward_size,
            options.dropout,
        )

    def forward(self, images: Tensor) -> Tensor | list[dict[str, Tensor]]:
        """Map images (B, C, H, W) to logits (B, num_classes, H, W); in training to all stages.

        Shapes: a stage holds class_logits (B, queries, num_classes + 1), the last one for no
        object, and mask_logits (B, queries, h, w) at a quarter of the patch's stride. The last
        stage comes first.
        """
        maps = self.pyramid(self.backbone.feature_maps(images, self.layers))
        mask_features, attended = self.pixel_decoder(maps)
        stages = self.query_decoder(attended, mask_features)
        if self.training:
            return [stage._asdict() for stage in reversed(stages)]
        last = stages[-1]
        return semantic_logits(last.class_logits, last.mask_logits, tuple(images.shape[-2:]))
