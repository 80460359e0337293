"""The mask2former head: queries that each predict a class and a mask."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pydantic import Field, model_validator

from nnunet_vit.hookspecs import MaskHeadOptions, hookimpl

if TYPE_CHECKING:
    from torch import Tensor, nn

    from nnunet_vit.modeling.backbone import ViTBackbone


class Mask2FormerOptions(MaskHeadOptions):
    """Options of the mask2former head."""

    hidden_size: int = Field(
        128,
        ge=8,
        le=1024,
        description="channels of maps and queries, a multiple of 4 and of `heads`",
    )
    queries: int = Field(
        20,
        ge=1,
        le=1000,
        description="masks that are predicted, never fewer than there are classes",
    )
    encoder_layers: int = Field(
        2, ge=1, le=24, description="layers of deformable attention over the maps"
    )
    decoder_layers: int = Field(
        3, ge=1, le=24, description="layers of the queries; they take the three maps in turn"
    )
    heads: int = Field(8, ge=1, le=64, description="heads of every attention")
    attention_points: int = Field(
        4, ge=1, le=16, description="places per head and map that deformable attention looks at"
    )
    feedforward_size: int = Field(
        512,
        ge=8,
        le=8192,
        description="channels within a layer of the queries; half as many in one of the maps",
    )
    dropout: float = Field(
        0.0, ge=0, lt=1, description="share dropped within all layers in training"
    )

    @model_validator(mode="after")
    def _divisible(self) -> "Mask2FormerOptions":
        if self.hidden_size % 4 or self.hidden_size % self.heads:
            raise ValueError(
                f"hidden_size {self.hidden_size} with {self.heads} heads: "
                "hidden_size must be a multiple of 4 and of heads"
            )
        return self


@hookimpl
def head_options() -> type[Mask2FormerOptions]:
    """Return the options model."""
    return Mask2FormerOptions


@hookimpl
def create_segmentation_model(
    backbone: "ViTBackbone", num_classes: int, options: Mask2FormerOptions
) -> "nn.Module":
    """Put the decoders on the backbone."""
    from nnunet_vit_mask2former.decoder import Mask2FormerSegmentation

    return Mask2FormerSegmentation(backbone, num_classes, options)


@hookimpl
def create_loss(
    num_classes: int, options: Mask2FormerOptions, has_regions: bool, ignore_label: int | None
) -> "Callable[[Any, Tensor], Tensor]":
    """Return the loss of the best pairs of predicted and labelled masks."""
    from nnunet_vit.blocks.mask_classification import MaskClassificationLoss

    return MaskClassificationLoss.of(options, num_classes, has_regions, ignore_label)
