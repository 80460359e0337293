"""nnU-Net's trainer with a ViT: network, optimizer, precision and checkpoints are its own.

Data, augmentation, losses, folds, sliding-window validation and summary stay nnU-Net's.
"""

import os
import random
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from batchgeneratorsv2.transforms.utils.compose import ComposeTransforms
from nnunetv2.training.dataloading.data_loader import nnUNetDataLoader
from torch import nn
from torch.optim import Optimizer

from nnunet_vit.augmentation.batched.batched_set import BatchedSet
from nnunet_vit.data.folds.first_splits import ensure_splits
from nnunet_vit.data.folds.fold_check import check_fold
from nnunet_vit.data.folds.fold_rules import FoldCases, FoldRules, rules_of
from nnunet_vit.data.preprocessing.preprocessed import DataFolder
from nnunet_vit.data.preprocessing.truth import TRUTH
from nnunet_vit.errors import ConfigError
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.modeling.head import Head
from nnunet_vit.modeling.network import first_build
from nnunet_vit.modeling.output_check import output_scales
from nnunet_vit.modeling.runtime.compile_switch import OFF
from nnunet_vit.modeling.runtime.cpu_training.substitutes import quick_steps
from nnunet_vit.modeling.runtime.microbatches import checkpoint_blocks, forward_in_microbatches
from nnunet_vit.nnunet.folders import VARIABLES, environment
from nnunet_vit.nnunet.plans import run_of_plans
from nnunet_vit.report.step_seconds import BACKWARD, FORWARD, OPTIMIZER, TRANSFER, WAIT
from nnunet_vit.training.callback import Callbacks
from nnunet_vit.training.callbacks import found
from nnunet_vit.training.callbacks.feature_keeping import Batches, FeatureKeeping
from nnunet_vit.training.checkpoint_trainer import CheckpointTrainer
from nnunet_vit.training.dataloading import Augmenter
from nnunet_vit.training.device_batch import on_device
from nnunet_vit.training.optimization import WarmupSchedule, build_optimizer
from nnunet_vit.training.planes import drawn_case
from nnunet_vit.training.run_loss import with_loss_of_run
from nnunet_vit.training.run_transforms import patch_facts, transforms_of_run
from nnunet_vit.training.step_clock import StepClock
from nnunet_vit.training.step_losses import StepLosses
from nnunet_vit.training.whole_batches import whole_batches

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array


class nnUNetTrainer_vit(CheckpointTrainer):
    """Trains the run that its plans hold; stock nnUNetv2_train finds it too (external_trainers)."""

    wants_deep_supervision = True
    batched: BatchedSet | None = None  # what is done to whole batches; None: workers augment
    kept_bytes = 0  # of memory, by training views and their features

    def __init__(
        self,
        plans: JsonObject,
        configuration: str,
        fold: int | str,
        dataset_json: JsonObject,
        device: torch.device = torch.device("cuda"),  # noqa: B008 - nnU-Net's own signature
    ) -> None:
        """Take the settings from the run inside the plans; the arguments are nnU-Net's."""
        self.resumes = bool(plans.setdefault("continue_training", False))
        self.run = run_of_plans(plans)
        self.callbacks = Callbacks(found())
        super().__init__(plans, configuration, fold, dataset_json, device)
        if device.index is not None and not self.is_ddp:
            self.device = device  # nnU-Net takes the first GPU whatever it is given
        self.clock, self.losses = StepClock(self.device), StepLosses(self.device)
        settings = self.run.train
        self.initial_lr = settings.initial_lr
        self.weight_decay = settings.weight_decay
        self.num_epochs = settings.num_epochs
        self.num_iterations_per_epoch = settings.num_iterations_per_epoch
        self.num_val_iterations_per_epoch = settings.num_val_iterations_per_epoch
        self.head = Head(self.run)
        self.enable_deep_supervision = self.head.deep_supervision and self.wants_deep_supervision
        self.save_every = settings.save_every
        self.grad_scaler = None  # bfloat16 has float32's range: nothing to scale
        self.seed = (
            settings.seed if settings.seed is not None else random.SystemRandom().randrange(2**32)
        )
        self.needs_pretrained_weights = True

    def initialize(self) -> None:
        """Build everything; the network with pretrained weights unless a whole model follows."""
        random.seed(self.seed)
        np.random.seed(self.seed)
        torch.manual_seed(self.seed)
        if self.needs_pretrained_weights:
            with first_build():
                super().initialize()
        else:
            super().initialize()
        if self.run.train.gradient_checkpointing:
            checkpoint_blocks(self.bare_network)
        if self.is_ddp and self.run.train.gradient_accumulation > 1:
            raise ConfigError(
                "train.gradient_accumulation: several GPUs share a batch already.",
                fix="train.gradient_accumulation: 1, or one GPU.",
            )

    def configure_optimizers(self) -> tuple[Optimizer, WarmupSchedule]:
        """Return the run's optimizer of the trained parameters, and its schedule."""
        optimizer = build_optimizer(self.network, self.run.train)
        return optimizer, WarmupSchedule(optimizer, self.run.train)

    def _build_loss(self) -> nn.Module:
        # the first place where nnU-Net needs to know the head's resolutions
        height, width = self.configuration_manager.patch_size
        images = torch.zeros(1, self.num_input_channels, height, width, device=self.device)
        self._scales = output_scales(self.bare_network.eval(), images)
        several = len(self._scales) > 1 and not self.bare_network.own_loss
        self.enable_deep_supervision = self.enable_deep_supervision and several
        loss: nn.Module = with_loss_of_run(self, super()._build_loss())
        labels = self.label_manager
        self.training_loss = self.head.loss(
            labels.num_segmentation_heads,
            labels.has_regions,
            labels.ignore_label,
            default_loss=loss,
        )
        return loss  # of logits: validation has no other

    # Any: nnU-Net's arguments, handed on as they come
    def get_training_transforms(self, *given: Any, **more: Any) -> ComposeTransforms:  # noqa: ANN401
        """Return nnU-Net's transforms as the run wants them."""
        own = super().get_training_transforms(*given, **more)
        return transforms_of_run(own, self.run.train.augmentation, patch_facts(self))

    # Any: nnU-Net's four values, of which the last are the axes
    def configure_rotation_dummyDA_mirroring_and_inital_patch_size(  # noqa: N802
        self,
    ) -> tuple[Any, ...]:
        """Decide as nnU-Net does; a run without mirroring predicts without it too."""
        *others, axes = super().configure_rotation_dummyDA_mirroring_and_inital_patch_size()
        if not self.run.train.augmentation.mirror:
            self.inference_allowed_mirroring_axes = axes = None
        return (*others, axes)

    def _get_deep_supervision_scales(self) -> list[list[float]] | None:
        return self._scales if self.enable_deep_supervision else None

    def set_deep_supervision_enabled(self, enabled: bool) -> None:
        """Let the network return all resolutions, or the finest alone."""
        self.bare_network.deep_supervision = enabled and self.enable_deep_supervision

    def do_split(self) -> tuple[list[str], list[str]]:
        """Return the fold's training and validation cases; wrong splits are refused.

        Raises:
            ConfigError: there is no such fold, for which nnU-Net would draw cases at random.
            DataError: the splits file is wrong.
        """
        cases, rules = self._folds
        check_fold(cases, self.fold, rules)
        if self.fold != "all":
            ensure_splits(
                cases.preprocessed, sorted(cases.present), rules,
                labels=cases.preprocessed / TRUTH, description=self.dataset_json,
                log=self.print_to_log_file,
            )  # fmt: skip
        training, validation = super().do_split()
        return training, validation

    @cached_property
    def _folds(self) -> tuple[FoldCases, FoldRules]:
        """The cases, and what their folds keep to: read once, a table may be moved meanwhile."""
        data = DataFolder(
            Path(self.preprocessed_dataset_folder_base), self.configuration_manager.data_identifier
        )
        place = os.environ.get(VARIABLES["raw"])
        raw = Path(place) / data.root.name if place else None
        cases = FoldCases(data.cases(), raw, data.root, self.dataset_json["file_ending"])
        return cases, rules_of(self.run.data, cases)

    def get_dataloaders(self) -> tuple[Batches, Augmenter]:
        """Return nnU-Net's loaders with numbered batches, made by as many workers as memory has."""
        return self.callbacks.of(FeatureKeeping).loaders(self, *self.plain_loaders())

    def plain_loaders(self) -> tuple[nnUNetDataLoader, nnUNetDataLoader]:
        """Return nnU-Net's loaders of training and validation, without workers.

        That of training reads and crops alone where whole batches are augmented.
        """
        with environment("nnUNet_n_proc_DA", "0"):
            training, validation = super().get_dataloaders()
        self.batched = whole_batches(self, training.data_loader)
        return training.data_loader, validation.data_loader

    def train_step(self, batch: JsonObject) -> JsonObject:
        """Do one step on images (B, C, H, W) and targets (B, 1, H, W), or lists of them.

        Unlike nnU-Net's, it opens no float16 context: the network chooses its own precision. And it
        waits for no GPU: the loss is one that is still computed.
        """
        self.clock.ends(WAIT)
        images, target = on_device(batch, self.device, self.batched)
        self.clock.ends(TRANSFER)
        for callback in self.callbacks:
            callback.on_step_start(self)
        self.optimizer.zero_grad(set_to_none=True)
        parts = self.run.train.gradient_accumulation
        with quick_steps(self.device, compiled=self.compiled != OFF):
            with self.callbacks.of(FeatureKeeping).serving(batch):
                output = forward_in_microbatches(self.network, images, parts)
            loss = self.training_loss(output, target)
            self.clock.ends(FORWARD)
            torch.autograd.backward(loss)
        self.clock.ends(BACKWARD)
        nn.utils.clip_grad_norm_(self.network.parameters(), self.run.train.gradient_clip)
        self.optimizer.step()
        self.lr_scheduler.advance()
        value = self.losses.add(loss)
        self.losses.check(self.current_epoch)
        for callback in self.callbacks:
            callback.on_step_end(self, self.losses.newest)
        self.clock.ends(OPTIMIZER)
        return {"loss": value}

    def on_train_epoch_end(self, train_outputs: list[JsonObject]) -> None:
        """Log the epoch's loss as nnU-Net does, once the last steps of a GPU are done."""
        self.losses.check(self.current_epoch, all_of_them=True)
        super().on_train_epoch_end(train_outputs)

    def drawn_case(self, case: str) -> "Array":
        """Return the picture of a case with what the network predicts now, (H, W, 3) uint8."""
        self.set_deep_supervision_enabled(False)
        try:
            return drawn_case(self, self.bare_network, case)
        finally:
            self.set_deep_supervision_enabled(True)


class nnUNetTrainerNoDeepSupervision_vit(nnUNetTrainer_vit):
    """The same with the finest resolution alone in the loss, whatever the head offers."""

    wants_deep_supervision = False
