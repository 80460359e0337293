"""nnU-Net's trainer with a ViT: network, optimizer, precision and checkpoints are its own.

Data, augmentation, losses, folds, sliding-window validation and summary stay nnU-Net's.
"""

import math
import os
import random
from pathlib import Path
from typing import Any

import numpy as np
import torch
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer
from nnunetv2.utilities.default_n_proc_DA import get_allowed_n_proc_DA
from torch import nn
from torch._dynamo import OptimizedModule
from torch.optim import Optimizer

from nnunet_vit.errors import NumericsError
from nnunet_vit.modeling.factory import names_deep_supervision
from nnunet_vit.modeling.network import ViTSegmentationNetwork, first_build
from nnunet_vit.modeling.probe import output_scales
from nnunet_vit.nnunet.batches import augmenter
from nnunet_vit.nnunet.dataset import class_names
from nnunet_vit.nnunet.folders import environment
from nnunet_vit.nnunet.optimization import WarmupPolySchedule, build_optimizer
from nnunet_vit.nnunet.plans import run_of_plans
from nnunet_vit.report.progress import Progress

SAVES_PER_RUN = 20  # of checkpoint_latest
EPOCHS_AT_RISK = 5  # at most, between two saves; nnU-Net's 50 can lose a day of work


class nnUNetTrainer_vit(nnUNetTrainer):  # type: ignore[misc]
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
        plans.setdefault("continue_training", False)
        self.run = run_of_plans(plans)
        super().__init__(plans, configuration, fold, dataset_json, device)
        settings = self.run.train
        self.initial_lr = settings.initial_lr
        self.weight_decay = settings.weight_decay
        self.num_epochs = settings.num_epochs
        self.num_iterations_per_epoch = settings.num_iterations_per_epoch
        self.num_val_iterations_per_epoch = settings.num_val_iterations_per_epoch
        self.enable_deep_supervision = names_deep_supervision(self.run)
        self.save_every = max(1, min(EPOCHS_AT_RISK, settings.num_epochs // SAVES_PER_RUN))
        self.grad_scaler = None  # bfloat16 has float32's range: nothing to scale
        self.seed = (
            settings.seed if settings.seed is not None else random.SystemRandom().randrange(2**32)
        )
        self.needs_pretrained_weights = True
        self.progress = Progress()

    def initialize(self) -> None:
        """Build everything; the network with pretrained weights unless a checkpoint follows."""
        random.seed(self.seed)
        np.random.seed(self.seed)
        torch.manual_seed(self.seed)
        if self.needs_pretrained_weights:
            with first_build():
                super().initialize()
        else:
            super().initialize()

    @property
    def bare_network(self) -> ViTSegmentationNetwork:
        """The network without DDP and torch.compile around it."""
        network: nn.Module = self.network.module if self.is_ddp else self.network
        bare = network._orig_mod if isinstance(network, OptimizedModule) else network
        assert isinstance(bare, ViTSegmentationNetwork)
        return bare

    def configure_optimizers(self) -> tuple[Optimizer, WarmupPolySchedule]:
        """Return the run's optimizer of the trained parameters, and its schedule."""
        optimizer = build_optimizer(self.network, self.run.train)
        return optimizer, WarmupPolySchedule(optimizer, self.run.train)

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

    def on_train_epoch_start(self) -> None:
        """Start the epoch's progress and its learning rate."""
        super().on_train_epoch_start()
        steps = self.num_iterations_per_epoch + self.num_val_iterations_per_epoch
        self.progress.start_epoch(self.current_epoch, self.num_epochs, steps)

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
        loss = self.loss(self.network(images), target)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), self.run.train.gradient_clip)
        self.optimizer.step()
        self.lr_scheduler.advance()
        return {"loss": self._finite(loss)}

    def validation_step(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Do nnU-Net's validation step and show it."""
        outcome: dict[str, Any] = super().validation_step(batch)
        self.progress.advance()
        return outcome

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
        """Close the epoch as nnU-Net does and report it."""
        epoch = self.current_epoch
        super().on_epoch_end()
        per_class = self.logger.get_value("dice_per_class_or_region", step=-1)
        self.progress.end_epoch(
            epoch,
            self.num_epochs,
            training_loss=float(self.logger.get_value("train_losses", step=-1)),
            validation_loss=float(self.logger.get_value("val_losses", step=-1)),
            dice=dict(zip(class_names(self.dataset_json), map(float, per_class), strict=True)),
            rate=float(self.logger.get_value("lrs", step=-1)),
        )

    def print_to_log_file(self, *args: Any, **options: Any) -> None:  # noqa: ANN401
        """Log as nnU-Net does; its line per validation case is the only sign of that progress."""
        super().print_to_log_file(*args, **options)
        if args and str(args[0]).startswith("predicting "):
            self.progress.case(str(args[0]).removeprefix("predicting "))

    def plot_network_architecture(self) -> None:
        """Plot nothing: nnU-Net's plot needs a package that no longer works."""

    def save_checkpoint(self, filename: str) -> None:
        """Write nnU-Net's checkpoint, whole or not at all.

        It names nnU-Net's own trainer, so that stock prediction needs no trainer of ours.
        """
        if self.local_rank != 0 or self.disable_checkpointing:
            return
        checkpoint = {
            "network_weights": self.bare_network.state_dict(),
            "optimizer_state": self.optimizer.state_dict(),
            "grad_scaler_state": None,
            "logging": self.logger.get_checkpoint(),
            "_best_ema": self._best_ema,
            "current_epoch": self.current_epoch + 1,
            "init_args": self.my_init_kwargs,
            "trainer_name": nnUNetTrainer.__name__,
            "inference_allowed_mirroring_axes": self.inference_allowed_mirroring_axes,
        }
        unfinished = Path(f"{filename}.unfinished")
        torch.save(checkpoint, unfinished)
        os.replace(unfinished, filename)

    def load_checkpoint(self, filename_or_checkpoint: dict[str, Any] | str) -> None:
        """Go on from a checkpoint; no pretrained weights are read or fetched before it."""
        self.needs_pretrained_weights = False
        super().load_checkpoint(filename_or_checkpoint)


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
