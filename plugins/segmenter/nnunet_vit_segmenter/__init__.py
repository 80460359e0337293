"""The segmenter head: patches and classes attend to each other, masks are their products."""

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from nnunet_vit.hookspecs import HeadOptions, hookimpl

if TYPE_CHECKING:
    from torch import nn

    from nnunet_vit.modeling.backbone import ViTBackbone


class SegmenterOptions(HeadOptions):
    """Options of the segmenter head."""

    hidden_size: int = Field(
        256,
        ge=8,
        le=2048,
        description="channels of every token; a multiple of 64 gives attention heads of 64",
    )
    layers: int = Field(
        2, ge=1, le=12, description="layers in which patches and classes attend to each other"
    )
    upscale: Literal[1, 2, 4] = Field(
        4, description="pixels of a mask along the edge of a patch; 1: as in the paper"
    )
    mask_norm: Literal["scale", "classes"] = Field(
        "scale",
        description="scale: a learned scale and shift per class; classes: the paper's layer "
        "normalization over the classes, from three classes on",
    )
    dropout: float = Field(
        0.1, ge=0, lt=1, description="share of values dropped in the layers in training"
    )


@hookimpl
def head_options() -> type[SegmenterOptions]:
    """Return the options model."""
    return SegmenterOptions


@hookimpl
def create_segmentation_model(
    backbone: "ViTBackbone", num_classes: int, options: SegmenterOptions
) -> "nn.Module":
    """Put the mask transformer on the backbone."""
    from nnunet_vit_segmenter.decoder import MaskTransformer, Segmenter

    decoder = MaskTransformer(
        backbone.embed_dim,
        num_classes,
        layers=options.layers,
        hidden_size=options.hidden_size,
        upsamplings={1: 0, 2: 1, 4: 2}[options.upscale],
        class_norm=options.mask_norm == "classes",
        dropout=options.dropout,
    )
    return Segmenter(backbone, decoder)
