"""The unetr head: a U-shaped decoder with skips from four depths of the ViT and the image."""

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from nnunet_vit.hookspecs import HeadOptions, hookimpl

if TYPE_CHECKING:
    from torch import nn

    from nnunet_vit.modeling.backbone import ViTBackbone


class UnetrOptions(HeadOptions):
    """Options of the unetr head."""

    hidden_size: int = Field(
        128,
        ge=8,
        le=2048,
        description="channels at half a patch; halved at each finer level, at least 8",
    )
    upsampling: Literal["deconvolution", "bilinear"] = Field(
        "deconvolution",
        description="deconvolution: the paper's, learned; bilinear: fewer weights, no checkerboard",
    )


@hookimpl
def head_options() -> type[UnetrOptions]:
    """Return the options model."""
    return UnetrOptions


@hookimpl
def create_segmentation_model(
    backbone: "ViTBackbone",
    num_classes: int,
    in_channels: int,
    deep_supervision: bool,
    options: UnetrOptions,
) -> "nn.Module":
    """Put the decoder on the backbone."""
    from nnunet_vit_unetr.decoder import UnetrSegmentation

    return UnetrSegmentation(backbone, num_classes, in_channels, options, deep_supervision)
