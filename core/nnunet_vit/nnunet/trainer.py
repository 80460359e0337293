"""nnU-Net's trainer with a ViT: network, optimizer, precision and checkpoints are its own.

Data, augmentation, losses, folds, sliding-window validation and summary stay nnU-Net's.
"""

import math
import random
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from nnunetv2.utilities.default_n_proc_DA import get_allowed_n_proc_DA
from torch import nn
from torch._dynamo import OptimizedModule
from torch.optim import Optimizer

from nnunet_vit.checkpoints.random_state import restore_random_state
from nnunet_vit.checkpoints.store import CheckpointStore
from nnunet_vit.checkpoints.whole import write_whole
from nnunet_vit.errors import ConfigError, NumericsError
from nnunet_vit.modeling.factory import names_deep_supervision
from nnunet_vit.modeling.memory import checkpoint_blocks, forward_in_parts
from nnunet_vit.modeling.network import ViTSegmentationNetwork, first_build
from nnunet_vit.modeling.probe import output_scales
from nnunet_vit.nnunet.averaging import AveragedWeights
from nnunet_vit.nnunet.batches import augmenter
from nnunet_vit.nnunet.folders import environment
from nnunet_vit.nnunet.optimization import WarmupSchedule, build_optimizer
from nnunet_vit.nnunet.plans import run_of_plans
from nnunet_vit.nnunet.reporting import ReportingTrainer
from nnunet_vit.nnunet.saving import base_record, captured, restore, whole_model

LATEST, BEST = "checkpoint_latest.pth", "checkpoint_best.pth"  # nnU-Net's names


class nnUNetTrainer_vit(ReportingTrainer):
    """Trains the run that its plans hold; stock nnUNetv2_train finds it too (external_trainers)."""

    def __init__(
        self,
        plans: dict[str, Any],
        configuration: str,
        fold: int | str,
        dataset_json: dict[str, Any],
        device: torch.device = torch.device("cuda"),  # noqa: B008 - nnU-Net's own signature
    ) -> None:
        """Take the settings from the run inside the plans; the arguments are nnU-Net's."""
        self.goes_on = bool(plans.setdefault("continue_training", False))
        self.run = run_of_plans(plans)
        super().__init__(plans, configuration, fold, dataset_json, device)
        settings = self.run.train
        self.initial_lr = settings.initial_lr
        self.weight_decay = settings.weight_decay
        self.num_epochs = settings.num_epochs
        self.num_iterations_per_epoch = settings.num_iterations_per_epoch
        self.num_val_iterations_per_epoch = settings.num_val_iterations_per_epoch
        self.enable_deep_supervision = names_deep_supervision(self.run)
        self.save_every = settings.save_every
        self.grad_scaler = None  # bfloat16 has float32's range: nothing to scale
        self.seed = (
            settings.seed if settings.seed is not None else random.SystemRandom().randrange(2**32)
        )
        self.needs_pretrained_weights = True
        self.store = CheckpointStore(Path(self.output_folder))
        self.average: AveragedWeights | None = None
        self._due: set[str] = set()  # checkpoints that nnU-Net asked for in this epoch
        self._random_state: dict[str, Any] | None = None  # of the checkpoint that is gone on from

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
        if self.run.train.ema:
            self.average = AveragedWeights(self.bare_network, self.run.train.ema)

    @cached_property
    def base_record(self) -> dict[str, Any]:
        """What the checkpoints leave out, read once: it does not change."""
        return base_record(self)

    @property
    def bare_network(self) -> ViTSegmentationNetwork:
        """The network without DDP and torch.compile around it."""
        network: nn.Module = self.network.module if self.is_ddp else self.network
        bare = network._orig_mod if isinstance(network, OptimizedModule) else network
        assert isinstance(bare, ViTSegmentationNetwork)
        return bare

    def configure_optimizers(self) -> tuple[Optimizer, WarmupSchedule]:
        """Return the run's optimizer of the trained parameters, and its schedule."""
        optimizer = build_optimizer(self.network, self.run.train)
        return optimizer, WarmupSchedule(optimizer, self.run.train)

    def _build_loss(self) -> nn.Module:
        # the first place where nnU-Net needs to know the head's resolutions
        height, width = self.configuration_manager.patch_size
        images = torch.zeros(1, self.num_input_channels, height, width, device=self.device)
        self._scales = output_scales(self.bare_network.eval(), images)
        self.enable_deep_supervision = self.enable_deep_supervision and len(self._scales) > 1
        loss: nn.Module = super()._build_loss()
        return loss

    def _get_deep_supervision_scales(self) -> list[list[float]] | None:
        return self._scales if self.enable_deep_supervision else None

    def set_deep_supervision_enabled(self, enabled: bool) -> None:
        """Let the network return all resolutions, or the finest alone."""
        self.bare_network.deep_supervision = enabled and self.enable_deep_supervision

    def get_dataloaders(self) -> tuple[Any, Any]:
        """Return nnU-Net's loaders with numbered batches."""
        workers = get_allowed_n_proc_DA()
        with environment("nnUNet_n_proc_DA", "0"):  # gives the loaders themselves, without workers
            training, validation = super().get_dataloaders()
        pinned = self.device.type == "cuda"
        first = self.current_epoch * self.num_iterations_per_epoch
        first_validation = self.current_epoch * self.num_val_iterations_per_epoch
        return (
            augmenter(training.data_loader, self.seed, first, workers, pinned),
            augmenter(
                validation.data_loader,
                self.seed + 1,
                first_validation,
                workers // 2 if workers > 1 else workers,
                pinned,
            ),
        )

    def on_train_start(self) -> None:
        """Start as nnU-Net does; random numbers go on where the checkpoint left them."""
        if self.goes_on and self.current_epoch == 0 and self.store.exists():
            self.resume()  # stock nnU-Net looks for files that this trainer does not write
        super().on_train_start()
        if self._random_state is not None:  # making the loaders has used some
            restore_random_state(self._random_state)
            self._random_state = None

    def train_step(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Do one step on images (B, C, H, W) and targets (B, 1, H, W), or lists of them.

        Unlike nnU-Net's, it opens no float16 context: the network chooses its own precision.
        """
        images = batch["data"].to(self.device, non_blocking=True)
        target = batch["target"]
        if isinstance(target, list):
            target = [level.to(self.device, non_blocking=True) for level in target]
        else:
            target = target.to(self.device, non_blocking=True)
        self.optimizer.zero_grad(set_to_none=True)
        parts = self.run.train.gradient_accumulation
        loss = self.loss(forward_in_parts(self.network, images, parts), target)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), self.run.train.gradient_clip)
        self.optimizer.step()
        self.lr_scheduler.advance()
        if self.average is not None:
            self.average.update()
        return {"loss": self._finite(loss)}

    def on_validation_epoch_start(self) -> None:
        """Validate the averaged weights, if there are any: they are what is kept."""
        super().on_validation_epoch_start()
        if self.average is not None:
            self.average.exchange()

    def on_validation_epoch_end(self, val_outputs: list[dict[str, Any]]) -> None:
        """Go back to the weights that are trained."""
        super().on_validation_epoch_end(val_outputs)
        if self.average is not None:
            self.average.exchange()

    def _finite(self, loss: torch.Tensor) -> "np.ndarray[Any, Any]":
        value = loss.detach().cpu().numpy()
        if not math.isfinite(value):
            raise NumericsError(
                f"The training loss became {value} in epoch {self.current_epoch}.",
                fix="lower train.initial_lr or train.gradient_clip; the last checkpoint is kept.",
            )
        self.progress.advance(loss=float(value))
        return value

    def on_epoch_end(self) -> None:
        """Close the epoch as nnU-Net does, save what it asked for once, and report."""
        epoch = self.current_epoch
        super().on_epoch_end()
        if self._saves and (self._due or self.current_epoch == self.num_epochs):
            self.store.save(captured(self), best=BEST in self._due)
        self._due.clear()
        self.report_epoch(epoch)

    @property
    def _saves(self) -> bool:
        return self.local_rank == 0 and not self.disable_checkpointing

    def save_checkpoint(self, filename: str) -> None:
        """Note that nnU-Net wants a checkpoint of the epoch, or write the finished model whole.

        It names nnU-Net's own trainer, so that stock prediction needs no trainer of ours.
        """
        name = Path(filename).name
        if name in (LATEST, BEST):
            self._due.add(name)
        elif self._saves and self.run.train.save_whole_model:
            with self.averaged():
                write_whole(Path(filename), whole_model(self))

    def load_checkpoint(self, filename_or_checkpoint: dict[str, Any] | str) -> None:
        """Go on; nnU-Net names a file, what is gone on from is this run's own newest state."""
        self.resume()

    def resume(self) -> None:
        """Go on from the newest checkpoint; a finished run's whole model needs no base weights.

        Raises:
            ModelError: no checkpoint is intact, or the pretrained weights are others.
        """
        restore(self)

    def continue_with_random_state(self, state: dict[str, Any]) -> None:
        """Restore the random numbers' state when training starts, after all that uses some."""
        self._random_state = state

    def perform_actual_validation(self, save_probabilities: bool = False) -> None:
        """Validate with sliding window, as nnU-Net does, the weights that are kept."""
        with self.averaged():
            super().perform_actual_validation(save_probabilities)

    def averaged(self) -> AbstractContextManager[None]:
        """Let the network compute with the averaged weights for a while, if there are any."""
        return nullcontext() if self.average is None else self.average.in_network()


class nnUNetTrainerNoDeepSupervision_vit(nnUNetTrainer_vit):
    """The same with the finest resolution alone in the loss, whatever the head offers."""

    def __init__(
        self,
        plans: dict[str, Any],
        configuration: str,
        fold: int | str,
        dataset_json: dict[str, Any],
        device: torch.device = torch.device("cuda"),  # noqa: B008 - nnU-Net's own signature
    ) -> None:
        """Take the arguments of nnU-Net."""
        super().__init__(plans, configuration, fold, dataset_json, device)
        self.enable_deep_supervision = False
