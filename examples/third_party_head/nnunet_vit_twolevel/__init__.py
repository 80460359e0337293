"""The head twolevel: its options and its hooks. No torch here: imports stay light."""

from typing import TYPE_CHECKING

from pydantic import Field

from nnunet_vit.hookspecs import HeadOptions, hookimpl

if TYPE_CHECKING:
    from torch import nn

    from nnunet_vit.modeling.backbone import ViTBackbone


class TwolevelOptions(HeadOptions):
    """The keys of model.decoder in a run file."""

    hidden_size: int = Field(128, ge=8, le=2048, description="channels of the mixed maps")
    dropout: float = Field(0.1, ge=0, lt=1, description="share of channels dropped in training")


@hookimpl
def head_options() -> type[TwolevelOptions]:
    """Return the options' model."""
    return TwolevelOptions


@hookimpl
def create_segmentation_model(
    backbone: "ViTBackbone", num_classes: int, options: TwolevelOptions
) -> "nn.Module":
    """Put the decoder on the backbone, which is built, loaded and tuned."""
    from nnunet_vit_twolevel.decoder import TwolevelSegmentation

    return TwolevelSegmentation(backbone, num_classes, options.hidden_size, options.dropout)
