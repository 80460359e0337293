"""The run file's sections `lora` and `train` as pydantic models."""

from typing import Annotated, Literal

from pydantic import Field

from nnunet_vit.config.augmentation_section import AugmentationSection
from nnunet_vit.config.feature_cache_section import FeatureCacheSection
from nnunet_vit.config.loss_section import LossSection
from nnunet_vit.config.recipe_version import AUTO, Auto
from nnunet_vit.config.section import Finite, Positive, Section


class ViTLoRAConfig(Section):
    """Low-rank adapters in the backbone; the section's presence turns them on."""

    enabled: bool = Field(True, description="false: as if the section were not there")
    r: Annotated[int, Field(ge=1, le=1024)] = Field(
        8,
        description="rank, of all adapters but `ia3`; take an even one: both factors of the "
        "adapters then learn from the first step",
    )
    lora_alpha: Annotated[Finite, Field(gt=0)] = Field(
        16.0,
        description="of `lora`, `rslora` and `dora`: the adapters' output is scaled by "
        "`lora_alpha / r`, with `rslora` by `lora_alpha / sqrt(r)`",
    )
    target_modules: Annotated[list[str], Field(min_length=1)] | None = Field(
        None,
        description="linear layers of the blocks: `qkv`, `proj`, `fc1`, `fc2` in most ViTs; null: "
        "the backbone's default, the attention's input projection",
    )
    lora_dropout: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.05, description="dropout before the adapters, all but `ia3`"
    )


class ViTTrainConfig(Section):
    """How long and how fast to train."""

    initial_lr: Annotated[Finite, Field(gt=0, le=10)] = Field(
        0.001,
        description="the highest learning rate: the head's, and the backbone's where it has none "
        "of its own",
    )
    backbone_lr: Annotated[Finite, Field(gt=0, le=10)] | Auto | None = Field(
        AUTO,
        description="the highest rate of the ViT, adapters included, not of other networks that a "
        "head brings; null: `initial_lr`; auto: a tenth of it where pretrained weights are trained "
        "(`full`, `last_blocks`) at one rate for all layers, by a head on the run's backbone, else "
        "null. With `tuning: frozen` a number is an error",
    )
    layer_decay: Annotated[float, Field(gt=0, le=1)] = Field(
        1.0,
        description="each block's rate is that of the block above it times this; 0.65 to 0.9 is "
        "usual with `tuning: full`",
    )
    weight_decay: Annotated[Finite, Field(ge=0, le=10)] = Field(
        0.00003, description="weight decay, not for biases, norms and position embeddings"
    )
    gradient_clip: Annotated[Finite, Field(gt=0)] = Field(
        12.0, description="the largest norm of the gradient"
    )
    optimizer: Literal["adamw", "sgd"] = Field(
        "adamw", description="sgd is nnU-Net's: momentum 0.99, Nesterov"
    )
    warmup: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.03, description="share of all iterations in which the rates rise to their highest"
    )
    schedule: Literal["poly", "cosine"] = Field(
        "poly", description="how the rates fall then; poly is nnU-Net's polynomial decay"
    )
    loss: LossSection = Field(
        default_factory=LossSection,
        description="`dice_ce`: nnU-Net's Dice and cross entropy; else a term's name, or several "
        "with their weights, `{dice: 1, focal: {weight: 2, gamma: 3}}`",
    )
    augmentation: AugmentationSection = Field(
        default_factory=AugmentationSection,
        description="`nnunet`: nnU-Net's set; `none`; or a section that changes that set and adds "
        "to it, `{strength: 0.5, elastic: 1}`",
    )
    augmentation_device: Literal["auto", "cpu", "gpu"] = Field(
        "auto",
        description="`cpu`: nnU-Net's transforms change patch after patch in the workers; `gpu`: "
        "the same transforms change whole batches on the network's device; `auto`: `cpu`, but a "
        "resumed training stays as it began",
    )
    ema: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.0,
        description="decay of an average of the trained weights, 0.999 for one, which is "
        "validated, kept and predicted with; 0: none",
    )
    gradient_checkpointing: bool = Field(
        False,
        description="the blocks keep their inputs alone and compute the rest again: a third more "
        "time, a tenth of the blocks' memory",
    )
    gradient_accumulation: Positive = Field(
        1,
        description="parts of a batch that go through the network one after the other, at most "
        "`batch_size`; the gradient is that of the whole batch, for nnU-Net's batch Dice too. One "
        "more forward pass",
    )
    compile: Literal["auto", "off", "blocks", "whole"] = Field(
        "auto",
        description="what torch compiles for training steps: the ViT's blocks, which takes seconds "
        "once, or the whole network, minutes; auto: what `nnUNet_compile` says, and without it "
        "the blocks on a GPU in trainings of 5,000 steps or more",
    )
    feature_cache: FeatureCacheSection | None = Field(
        None,
        description="with a frozen backbone, or its frozen blocks: their features are computed "
        "once for some views of each case, `{views: 16}`, and steps take a fraction of the time; "
        "null: a fresh view in each step",
    )
    num_epochs: Positive = Field(1000, description="epochs")
    patience: Positive | None = Field(
        None,
        description="epochs without a new best value of nnU-Net's moving average of the Dice after "
        "which the training ends; null: all epochs",
    )
    num_iterations_per_epoch: Positive = Field(250, description="training steps per epoch")
    num_val_iterations_per_epoch: Positive = Field(50, description="validation steps per epoch")
    batch_size: Positive | None = Field(
        None,
        description="images in a training step; null: `train` plans it for the dataset and the "
        "device's memory",
    )
    patch_size: Annotated[list[Positive], Field(min_length=2, max_length=2)] | None = Field(
        None,
        description="`[H, W]` of the images in pixels, multiples of the ViT's patch; null: `train` "
        "plans it for the dataset and the device's memory",
    )
    seed: Annotated[int, Field(ge=0, lt=2**32)] | None = Field(
        None, description="of all random numbers; null: another one each time"
    )
    save_every: Positive = Field(1, description="epochs between two checkpoints")
    overlay_every: Annotated[int, Field(ge=0)] = Field(
        50,
        description="epochs between two pictures of the same few validation cases, in the fold's "
        "folder; 0: none",
    )
    save_whole_model: bool = Field(
        True, description="write the finished model whole too, for stock nnU-Net"
    )

    @property
    def own_backbone_lr(self) -> float | None:
        """The rate of a resolved run's backbone, where it is another one than the head's.

        Plans of versions that did not know the key leave it at its default: there it was none.
        """
        return None if self.backbone_lr == AUTO else self.backbone_lr

    @property
    def highest_backbone_lr(self) -> float:
        """The highest rate of a resolved run's backbone, its own or the head's."""
        return self.own_backbone_lr or self.initial_lr
