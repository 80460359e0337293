"""What a plugin author imports: the hook marker, the base of a head's options, the hooks.

Importing this module costs pluggy and pydantic, nothing else.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import pluggy
from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from torch import Tensor, nn

    from nnunet_vit.augmentation.kind import Augmentation
    from nnunet_vit.backbones.family import BackboneFamily
    from nnunet_vit.evaluation.metric import Metric
    from nnunet_vit.losses.term import LossTerm
    from nnunet_vit.modeling.backbone import ViTBackbone
    from nnunet_vit.trackers.tracker import Tracker
    from nnunet_vit.tuning.method import TuningMethod

# What a head returns while it trains: tensors, the batch first, in lists, tuples and dictionaries
# as it likes. Any: a loss takes what its own head returns, which no common type says.
HeadOutput: TypeAlias = Any

PROJECT = "nnunet_vit"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class HeadOptions(BaseModel):
    """Base of a head's options: the keys of `model.decoder` in the run file.

    Give each field a bound and a description. Unknown keys and wrong types are errors.

    Attributes:
        wants_trained_backbone: whether the head learns little on a frozen backbone, whose own
            blocks do its work: `vit_cli plan` then freezes none to save time.
    """

    model_config = ConfigDict(extra="forbid", strict=True)
    wants_trained_backbone: ClassVar[bool] = False


class MaskHeadOptions(HeadOptions):
    """Base of the options of heads that are trained with MaskClassificationLoss."""

    class_weight: float = Field(
        2.0,
        ge=0,
        le=100,
        description="weight of the classes' cross entropy, in matching and loss",
    )
    mask_weight: float = Field(
        5.0,
        ge=0,
        le=100,
        description="weight of the masks' sigmoid cross entropy, in matching and loss",
    )
    dice_weight: float = Field(
        5.0, ge=0, le=100, description="weight of the masks' Dice, in matching and loss"
    )
    no_object_weight: float = Field(
        0.1,
        gt=0,
        le=1,
        description='weight of queries without an object ("no object") in the classes\' cross '
        "entropy",
    )
    loss_points: int = Field(
        12544,
        ge=16,
        le=1_000_000,
        description="pixels per mask at which the loss compares masks, three quarters of them "
        "where a mask is unsure; all valid ones where there are no more",
    )


@hookspec(firstresult=True)
def create_segmentation_model(  # type: ignore[empty-body]
    backbone: "ViTBackbone",
    num_classes: int,
    options: HeadOptions,  # of the model that head_options returned
    backbone_name: str,
    backbone_size: str | None,
    decoder_hidden_size: int,
    checkpoint_path: str,
    freeze_backbone: bool,
    use_lora: bool,
    lora_rank: int,
    lora_alpha: float,
    lora_dropout: float,
    lora_target_modules: Sequence[str],
    in_channels: int,
    image_size: tuple[int, int],
    deep_supervision: bool,
) -> "nn.Module":
    """Build the whole network; name the arguments that you need, the others are not handed over.

    A head that gets a backbone names `backbone` (built, loaded and tuned), `num_classes` and
    `options`. A head that builds one names `backbone_name`, `backbone_size`, … instead.

    Shapes: the module maps images (B, in_channels, H, W) to logits (B, num_classes, H, W), with
    `image_size` = (H, W) in pixels; with `deep_supervision` to a list of logits, finest first.
    """


@hookspec(firstresult=True)
def head_options() -> type[HeadOptions]:  # type: ignore[empty-body]
    """Return the pydantic model of `model.decoder` for this head."""


@hookspec(firstresult=True)
def create_loss(  # type: ignore[empty-body]
    num_classes: int,
    options: HeadOptions,  # of the model that head_options returned
    has_regions: bool,
    ignore_label: int | None,
    default_loss: "Callable[[HeadOutput, Tensor], Tensor]",
) -> "Callable[[HeadOutput, Tensor], Tensor]":
    """Return the head's own loss; a head without this hook is trained with nnU-Net's.

    It is called as loss(outputs, target) in training. `outputs` is what the head's module returns
    while it trains: tensors with the batch first, in lists, tuples and dictionaries as it likes.
    In eval mode the module returns logits (B, num_classes, H, W) as any other. `default_loss` is
    nnU-Net's, of such logits.

    Shapes: target (B, 1, H, W) holds class numbers (int16); with regions it is (B, num_classes, H,
    W) of bool, and one channel more, true where a pixel is to be ignored, if there is an
    `ignore_label`.
    """


@hookspec
def before_training_step(model: "nn.Module", progress: float) -> None:
    """Change the head with the training: called before each step.

    What prediction needs of it belongs into a buffer of the module, which checkpoints hold.

    Args:
        model: what create_segmentation_model returned.
        progress: share of the training's steps that are done, from 0 to below 1.
    """


@hookspec(firstresult=True)
def backbone_family() -> "BackboneFamily":  # type: ignore[empty-body]
    """Return a family of pretrained ViTs (entry-point group nnunet_vit.backbones)."""


@hookspec(firstresult=True)
def tuning_method() -> "TuningMethod":  # type: ignore[empty-body]
    """Return a way to fine-tune the backbone (entry-point group nnunet_vit.tuning)."""


@hookspec(firstresult=True)
def segmentation_metric() -> "Metric":  # type: ignore[empty-body]
    """Return what `vit_cli evaluate` can measure (entry-point group nnunet_vit.metrics)."""


@hookspec(firstresult=True)
def training_tracker() -> "Tracker":  # type: ignore[empty-body]
    """Return a place where trainings are followed (entry-point group nnunet_vit.trackers)."""


@hookspec(firstresult=True)
def segmentation_loss() -> "LossTerm":  # type: ignore[empty-body]
    """Return a term of `train.loss` (entry-point group nnunet_vit.losses)."""


@hookspec(firstresult=True)
def training_augmentation() -> "Augmentation":  # type: ignore[empty-body]
    """Return a key of `train.augmentation` (entry-point group nnunet_vit.augmentations)."""
