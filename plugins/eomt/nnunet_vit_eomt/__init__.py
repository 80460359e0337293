"""The eomt head: queries join the ViT's tokens for its last blocks, and find masks there."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from nnunet_vit.hookspecs import MaskHeadOptions, hookimpl

if TYPE_CHECKING:
    from torch import Tensor, nn

    from nnunet_vit.modeling.backbone import ViTBackbone
    from nnunet_vit_eomt.decoder import EomtSegmentation

LEAST_QUERIES, MANY_QUERIES, QUERIES_PER_CLASS = 16, 100, 4


class EomtOptions(MaskHeadOptions):
    """Options of the eomt head."""

    wants_trained_backbone = True

    queries: int | None = Field(
        None,
        ge=1,
        le=1000,
        description="learned queries, never fewer than classes; null: 4 per class, 16 to 100",
    )
    query_blocks: int = Field(
        4, ge=1, le=100, description="last blocks that queries pass; a shallower ViT's take all"
    )
    mask_stride: Literal[2, 4, 8] = Field(
        4, description="pixels between a mask's values, about; then it is interpolated"
    )
    annealing_start: float = Field(
        0.15,
        ge=0,
        le=1,
        description="share of the training at which the first block's masks begin to go",
    )
    annealing_length: float = Field(
        0.7,
        ge=0,
        le=1,
        description="share of the training from there until the last block's masks are gone",
    )

    def queries_for(self, num_classes: int) -> int:
        """Return the number of queries."""
        if self.queries is not None:
            return max(self.queries, num_classes)
        wanted = min(QUERIES_PER_CLASS * num_classes, MANY_QUERIES)
        return max(LEAST_QUERIES, wanted, num_classes)


@hookimpl
def head_options() -> type[EomtOptions]:
    """Return the options model."""
    return EomtOptions


@hookimpl
def create_segmentation_model(
    backbone: "ViTBackbone", num_classes: int, options: EomtOptions
) -> "nn.Module":
    """Put queries and their predictions into the backbone."""
    from nnunet_vit_eomt.annealing import Annealing
    from nnunet_vit_eomt.decoder import EomtSegmentation

    return EomtSegmentation(
        backbone,
        num_classes,
        options.queries_for(num_classes),
        options.query_blocks,
        options.mask_stride,
        Annealing(options.annealing_start, options.annealing_length),
    )


@hookimpl
def create_loss(
    num_classes: int, options: EomtOptions, has_regions: bool, ignore_label: int | None
) -> "Callable[[Any, Tensor], Tensor]":
    """Return the loss that matches queries with the target's masks."""
    from nnunet_vit.blocks.mask_classification import MaskClassificationLoss

    return MaskClassificationLoss.of(options, num_classes, has_regions, ignore_label)


@hookimpl
def before_training_step(model: "EomtSegmentation", progress: float) -> None:
    """Take masks away from the attention as the training proceeds."""
    model.anneal(progress)
