"""The upernet head: pyramid pooling and a feature pyramid network on four strides."""

from typing import TYPE_CHECKING

from pydantic import Field

from nnunet_vit.hookspecs import HeadOptions, hookimpl

if TYPE_CHECKING:
    from torch import nn

    from nnunet_vit.modeling.backbone import ViTBackbone


class UperNetOptions(HeadOptions):
    """Options of the upernet head."""

    hidden_size: int = Field(
        256, ge=8, le=2048, description="channels of every decoder map; the paper has 512"
    )
    dropout: float = Field(
        0.1, ge=0, lt=1, description="share of fused channels dropped in training"
    )


@hookimpl
def head_options() -> type[UperNetOptions]:
    """Return the options model."""
    return UperNetOptions


@hookimpl
def create_segmentation_model(
    backbone: "ViTBackbone", num_classes: int, options: UperNetOptions, deep_supervision: bool
) -> "nn.Module":
    """Put the decoder on the backbone."""
    from nnunet_vit_upernet.decoder import UperNetSegmentation

    return UperNetSegmentation(
        backbone, num_classes, options.hidden_size, options.dropout, deep_supervision
    )
