"""The primus head: transposed convolutions expand patches to pixels."""

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from nnunet_vit.hookspecs import HeadOptions, hookimpl

if TYPE_CHECKING:
    from torch import nn

    from nnunet_vit.modeling.backbone import ViTBackbone


class PrimusOptions(HeadOptions):
    """Options of the primus head."""

    wants_trained_backbone = True

    variant: Literal["single", "multi"] = Field(
        "single",
        description="single: the paper's, from the last map; multi: joined by three shallower maps",
    )


@hookimpl
def head_options() -> type[PrimusOptions]:
    """Return the options model."""
    return PrimusOptions


@hookimpl
def create_segmentation_model(
    backbone: "ViTBackbone", num_classes: int, deep_supervision: bool, options: PrimusOptions
) -> "nn.Module":
    """Put the decoder on the backbone."""
    from nnunet_vit_primus.decoder import MultiScalePrimus, Primus

    if options.variant == "multi":
        return MultiScalePrimus(backbone, num_classes, deep_supervision)
    return Primus(backbone, num_classes)
