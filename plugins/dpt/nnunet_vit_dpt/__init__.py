"""The dpt head: tokens reassembled to maps of four strides, fused by residual convolutions."""

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from nnunet_vit.hookspecs import HeadOptions, hookimpl

if TYPE_CHECKING:
    from torch import nn

    from nnunet_vit.modeling.backbone import ViTBackbone


class DptOptions(HeadOptions):
    """Options of the dpt head."""

    hidden_size: int = Field(256, ge=8, le=2048, description="channels of every fused map")
    readout: Literal["project", "add", "ignore"] = Field(
        "project",
        description="the class token: project: projected together with each patch's token; "
        "add: added to it; ignore: not used",
    )
    dropout: float = Field(
        0.1,
        ge=0,
        lt=1,
        description="share of channels dropped before the classifier in training",
    )


@hookimpl
def head_options() -> type[DptOptions]:
    """Return the options model."""
    return DptOptions


@hookimpl
def create_segmentation_model(
    backbone: "ViTBackbone", num_classes: int, options: DptOptions, deep_supervision: bool
) -> "nn.Module":
    """Put the decoder on the backbone."""
    from nnunet_vit_dpt.decoder import DptSegmentation

    return DptSegmentation(backbone, num_classes, options, deep_supervision)
