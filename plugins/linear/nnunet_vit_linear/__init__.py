"""The linear head: one classifier on the last feature map, upsampled."""

from typing import TYPE_CHECKING

from pydantic import Field

from nnunet_vit.hookspecs import HeadOptions, hookimpl

if TYPE_CHECKING:
    from torch import nn

    from nnunet_vit.modeling.backbone import ViTBackbone


class LinearOptions(HeadOptions):
    """Options of the linear head."""

    dropout: float = Field(0.0, ge=0, lt=1, description="share of channels dropped in training")


@hookimpl
def head_options() -> type[LinearOptions]:
    """Return the options model."""
    return LinearOptions


@hookimpl
def create_segmentation_model(
    backbone: "ViTBackbone", num_classes: int, options: LinearOptions
) -> "nn.Module":
    """Put the classifier on the backbone."""
    from nnunet_vit_linear.decoder import LinearSegmentation

    return LinearSegmentation(backbone, num_classes, options.dropout)
