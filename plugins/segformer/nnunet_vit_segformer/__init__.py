"""The segformer head: four levels fused by linear layers, refined while upsampled."""

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from nnunet_vit.hookspecs import HeadOptions, hookimpl

if TYPE_CHECKING:
    from torch import nn

    from nnunet_vit.modeling.backbone import ViTBackbone


class SegformerOptions(HeadOptions):
    """Options of the segformer head."""

    hidden_size: int = Field(256, ge=8, le=4096, description="channels of the fused map")
    variant: Literal["progressive", "plain"] = Field(
        "progressive",
        description="progressive: a convolution per doubling; plain: the paper's, logits "
        "upsampled at once, for large smooth objects",
    )
    detail_channels: int = Field(
        16,
        ge=0,
        le=512,
        description="channels of the image's own detail in the progressive variant; 0: backbone "
        "features alone",
    )
    dropout: float = Field(
        0.1, ge=0, lt=1, description="share of fused channels dropped in training"
    )


@hookimpl
def head_options() -> type[SegformerOptions]:
    """Return the options model."""
    return SegformerOptions


@hookimpl
def create_segmentation_model(
    backbone: "ViTBackbone", num_classes: int, in_channels: int, options: SegformerOptions
) -> "nn.Module":
    """Put the decoder on the backbone."""
    from nnunet_vit_segformer.decoder import SegformerSegmentation

    return SegformerSegmentation(backbone, num_classes, in_channels, options)
