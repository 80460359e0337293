"""The setr head: progressive upsampling of one map, or aggregation of four."""

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from nnunet_vit.hookspecs import HeadOptions, hookimpl

if TYPE_CHECKING:
    from torch import nn

    from nnunet_vit.modeling.backbone import ViTBackbone


class SetrOptions(HeadOptions):
    """Options of the setr head."""

    hidden_size: int = Field(256, ge=8, le=2048, description="channels of the convolutions")
    variant: Literal["pup", "mla"] = Field(
        "pup",
        description="pup: progressive upsampling of the last map; mla: aggregation of four maps",
    )


@hookimpl
def head_options() -> type[SetrOptions]:
    """Return the options model."""
    return SetrOptions


@hookimpl
def create_segmentation_model(
    backbone: "ViTBackbone", num_classes: int, deep_supervision: bool, options: SetrOptions
) -> "nn.Module":
    """Put the decoder on the backbone."""
    from nnunet_vit_setr.aggregation import MultiLevelAggregation
    from nnunet_vit_setr.progressive import ProgressiveUpsampling

    variants = {"pup": ProgressiveUpsampling, "mla": MultiLevelAggregation}
    return variants[options.variant](backbone, num_classes, options.hidden_size, deep_supervision)
