"""The dino_unet head: a detail branch that exchanges with the ViT, and a U-Net decoder."""

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from nnunet_vit.hookspecs import HeadOptions, hookimpl

if TYPE_CHECKING:
    from torch import nn

    from nnunet_vit.modeling.backbone import ViTBackbone


class DinoUNetOptions(HeadOptions):
    """Options of the dino_unet head."""

    hidden_size: int = Field(
        128,
        ge=8,
        le=2048,
        description="channels where detail and ViT meet; halved at each finer level, at least 8",
    )
    exchange: Literal["one_way", "both_ways"] = Field(
        "one_way",
        description="one_way: the detail branch reads the ViT, whose features stay as they are; "
        "both_ways: detail is also added to the ViT's tokens between its blocks",
    )


@hookimpl
def head_options() -> type[DinoUNetOptions]:
    """Return the options model."""
    return DinoUNetOptions


@hookimpl
def create_segmentation_model(
    backbone: "ViTBackbone",
    options: DinoUNetOptions,
    num_classes: int,
    in_channels: int,
    deep_supervision: bool,
) -> "nn.Module":
    """Put detail branch and decoder on the backbone."""
    from nnunet_vit_dino_unet.network import DinoUNet

    return DinoUNet(backbone, options, num_classes, in_channels, deep_supervision)
