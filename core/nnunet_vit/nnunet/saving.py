"""The part of the trainer that leaves a training on disk and goes on from it."""

from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer
from torch import Tensor, nn
from torch._dynamo import OptimizedModule

from nnunet_vit.checkpoints.base import base_digest, load_stored, stored_tensors
from nnunet_vit.checkpoints.optimizer import optimizer_tensors, restore_optimizer
from nnunet_vit.checkpoints.random_state import random_state, restore_random_state
from nnunet_vit.checkpoints.record import file_record, versions
from nnunet_vit.checkpoints.store import Checkpoint, CheckpointStore
from nnunet_vit.checkpoints.whole import plain, read_whole, write_whole
from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.errors import ModelError
from nnunet_vit.modeling.network import ViTSegmentationNetwork
from nnunet_vit.nnunet.averaging import AveragedWeights
from nnunet_vit.nnunet.reporting import ReportingTrainer
from nnunet_vit.tuning.adapters.merge import merged_state

LATEST, BEST, FINAL = (
    f"checkpoint_{kind}.pth" for kind in ("latest", "best", "final")
)  # nnU-Net's
TRAINED = "trained."  # before the names of weights that are trained while their average is kept


class SavingTrainer(ReportingTrainer):
    """nnU-Net's trainer with checkpoints that hold what was trained, and nothing that is code.

    Attributes:
        run: what is trained.
        seed: of all random numbers.
        goes_on: whether nnU-Net was told to go on from a checkpoint.
        needs_pretrained_weights: whether the network that is built next reads them.
        average: of the trained weights, if the run keeps one.
    """

    run: ViTnnUNetConfig
    seed: int
    goes_on: bool
    needs_pretrained_weights: bool
    average: AveragedWeights | None = None
    _random_state: dict[str, Any] | None = None  # of the checkpoint that is gone on from

    @cached_property
    def store(self) -> CheckpointStore:
        """The fold's checkpoints."""
        return CheckpointStore(Path(self.output_folder))

    @cached_property
    def base_record(self) -> dict[str, Any]:
        """What the checkpoints leave out and where it came from; it does not change."""
        if not self.run.model.pretrained:
            return {"digest": "", "file": None}
        path = Path(self.run.model.checkpoint_path)
        return {
            "digest": base_digest(self.bare_network),
            "file": file_record(path) if path.is_file() else None,
        }

    @property
    def bare_network(self) -> ViTSegmentationNetwork:
        """The network without DDP and torch.compile around it."""
        network: nn.Module = self.network.module if self.is_ddp else self.network
        bare = network._orig_mod if isinstance(network, OptimizedModule) else network
        assert isinstance(bare, ViTSegmentationNetwork)
        return bare

    def averaged(self) -> AbstractContextManager[None]:
        """Let the network compute with the averaged weights for a while, if there are any."""
        return nullcontext() if self.average is None else self.average.in_network()

    def on_train_start(self) -> None:
        """Start as nnU-Net does; random numbers go on where the checkpoint left them."""
        if self.goes_on and self.current_epoch == 0 and self.store.exists():
            self.resume()  # stock nnU-Net looks for files that this trainer does not write
        super().on_train_start()
        if self._random_state is not None:  # making the loaders has used some
            restore_random_state(self._random_state)
            self._random_state = None

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

    def perform_actual_validation(self, save_probabilities: bool = False) -> None:
        """Validate with sliding window, as nnU-Net does, the weights that are kept."""
        with self.averaged():
            super().perform_actual_validation(save_probabilities)

    def on_epoch_end(self) -> None:
        """Close the epoch as nnU-Net does, save what it asked for once, and report."""
        epoch = self.current_epoch
        self._due: set[str] = set()
        super().on_epoch_end()
        if self._saves and (self._due or self.current_epoch == self.num_epochs):
            self.store.save(self._captured(), best=BEST in self._due)
        self.report_epoch(epoch)

    @property
    def _saves(self) -> bool:
        return self.local_rank == 0 and not self.disable_checkpointing

    def save_checkpoint(self, filename: str) -> None:
        """Note that nnU-Net wants a checkpoint of the epoch, or write the finished model whole."""
        name = Path(filename).name
        if name in (LATEST, BEST):
            self._due.add(name)
        elif self._saves and self.run.train.save_whole_model:
            with self.averaged():
                write_whole(Path(filename), self._whole())

    def _captured(self) -> Checkpoint:
        network, everything = self.bare_network, not self.run.model.pretrained
        with self.averaged():  # random frozen weights have no file: then everything is stored
            weights = {n: t.detach().cpu() for n, t in stored_tensors(network, everything).items()}
            if self.average is not None:  # the tensors are about to hold other values
                weights = {name: tensor.clone() for name, tensor in weights.items()}
        tensors, settings = optimizer_tensors(self.optimizer)
        if self.average is not None:
            parameters = dict(network.named_parameters())
            tensors |= {
                f"{TRAINED}{name}": parameters[name].detach() for name in self.average.values
            }
        return Checkpoint(self.current_epoch, weights, tensors, self._state(settings))

    def _state(self, optimizer: dict[str, Any]) -> dict[str, Any]:
        return {
            "run": self.run.model_dump(mode="json", include={"model", "lora", "train"}),
            "configuration": self.configuration_name,
            "fold": self.fold,
            "seed": self.seed,
            "base": self.base_record,
            "optimizer": optimizer,
            "average_updates": self.average.updates if self.average is not None else 0,
            "random": random_state(),
            "best_ema": self._best_ema,
            "logging": self.logger.get_checkpoint(),
            "mirroring_axes": self.inference_allowed_mirroring_axes,
            "versions": versions(),
        }

    def _whole(self) -> dict[str, Any]:
        # it names nnU-Net's own trainer, so that stock prediction needs no trainer of ours
        return {
            "network_weights": merged_state(self.bare_network),
            "trainer_name": nnUNetTrainer.__name__,
            "init_args": {"configuration": self.configuration_name, "fold": self.fold},
            "inference_allowed_mirroring_axes": self.inference_allowed_mirroring_axes,
            "current_epoch": self.num_epochs,
            "_best_ema": plain(self._best_ema),
            "logging": plain(self.logger.get_checkpoint()),
        }

    def load_checkpoint(self, filename_or_checkpoint: dict[str, Any] | str) -> None:
        """Go on; nnU-Net names a file, what is gone on from is this fold's own newest state."""
        self.resume()

    def resume(self) -> None:
        """Go on from the newest checkpoint; a finished run's whole model needs no base weights.

        Raises:
            ModelError: no checkpoint is intact, it is of another run, or its base is.
        """
        whole = Path(self.output_folder) / FINAL
        if whole.is_file() and self.store.epoch_of_latest() in (None, self.num_epochs):
            self._take_whole(read_whole(whole))
            return
        checkpoint = self.store.latest(self.device)
        if checkpoint is None:
            raise ModelError(f"There is no checkpoint in {self.output_folder}.")
        self._check_same_run(checkpoint.state)
        self.seed = checkpoint.state["seed"]
        self._build(with_base=bool(checkpoint.state["base"]["digest"]))
        load_stored(self.bare_network, checkpoint.weights, checkpoint.state["base"]["digest"])
        self._take_optimizer(checkpoint)
        self._take_history(checkpoint.epoch, checkpoint.state)

    def _build(self, with_base: bool) -> None:
        self.needs_pretrained_weights = with_base
        if not self.was_initialized:
            self.initialize()

    def _check_same_run(self, state: dict[str, Any]) -> None:
        own = self.run.model_dump(mode="json", include={"model", "lora"})
        theirs = {name: state["run"].get(name) for name in own}
        found = (state["fold"], state["configuration"], theirs)
        if found != (self.fold, self.configuration_name, own):
            raise ModelError(
                f"The checkpoint in {self.output_folder} is of another run or of fold "
                f"{state['fold']}.",
                fix="copy back the fold's own folder, or --overwrite to start anew.",
            )

    def _take_optimizer(self, checkpoint: Checkpoint) -> None:
        own: dict[str, Tensor] = {}
        trained: dict[str, Tensor] = {}
        for name, tensor in checkpoint.optimizer.items():
            place = trained if name.startswith(TRAINED) else own
            place[name.removeprefix(TRAINED)] = tensor
        restore_optimizer(self.optimizer, own, checkpoint.state["optimizer"])
        if self.average is not None:
            self.average.restore(trained, checkpoint.state["average_updates"])

    def _take_history(self, epoch: int, state: dict[str, Any]) -> None:
        self.current_epoch = epoch
        self.logger.load_checkpoint(state["logging"])
        self._best_ema = state["best_ema"]
        axes = state["mirroring_axes"]
        self.inference_allowed_mirroring_axes = None if axes is None else tuple(axes)
        self._random_state = state["random"]

    def _take_whole(self, content: dict[str, Any]) -> None:
        self._build(with_base=False)
        self.average = None  # the whole model holds it
        with torch.no_grad():
            self.bare_network.load_state_dict(content["network_weights"])
        self.current_epoch = content["current_epoch"]
        self.logger.load_checkpoint(content["logging"])
        self._best_ema = content["_best_ema"]
        self.inference_allowed_mirroring_axes = content["inference_allowed_mirroring_axes"]
