"""The part of the trainer that leaves a training on disk."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from functools import cached_property
from pathlib import Path

from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer
from torch import nn
from torch._dynamo import OptimizedModule

from nnunet_vit.backbones import timm_name
from nnunet_vit.checkpoints.base import base_digest, is_in_file, stored_tensors
from nnunet_vit.checkpoints.fold_folder import BEST_FILE, LATEST_FILE, FoldFolder
from nnunet_vit.checkpoints.full_model import plain, write_full_model
from nnunet_vit.checkpoints.optimizer import optimizer_tensors
from nnunet_vit.checkpoints.random_state import random_state
from nnunet_vit.checkpoints.record import file_record, versions
from nnunet_vit.checkpoints.store import Checkpoint
from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.data.preprocessing.preprocessed import DataFolder
from nnunet_vit.data.preprocessing.record import files_of_cases
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.modeling.backbone import vits_of
from nnunet_vit.modeling.network import ViTSegmentationNetwork
from nnunet_vit.nnunet.plans import KEY, head_package
from nnunet_vit.nnunet.run_names import digest_of
from nnunet_vit.training.ema import AveragedWeights
from nnunet_vit.training.reporting import ReportingTrainer
from nnunet_vit.tuning.adapters.merge import merged_state

TRAINED = "trained."  # before the names of weights that are trained while their average is kept


class SavingTrainer(ReportingTrainer):
    """nnU-Net's trainer with checkpoints that hold what was trained, and nothing that is code.

    Attributes:
        run: what is trained.
        seed: of all random numbers.
        average: of the trained weights, if the run keeps one.
    """

    run: ViTnnUNetConfig
    seed: int
    average: AveragedWeights | None = None
    _due: frozenset[str] = frozenset()  # checkpoints that nnU-Net has asked for in this epoch

    @cached_property
    def fold_folder(self) -> FoldFolder:
        """Where the fold's checkpoints and the finished model are."""
        return FoldFolder(Path(self.output_folder))

    @property
    def whole_base(self) -> bool:
        """Whether checkpoints hold frozen blocks too: those that no file of weights brought."""
        coverage = self.bare_network.coverage
        return not is_in_file(None if coverage is None else coverage.missing)

    @cached_property
    def base_record(self) -> JsonObject:
        """What the checkpoints leave out and where it came from; it does not change."""
        coverage = self.bare_network.coverage
        model = self.run.model
        path = Path(model.checkpoint_path)
        network = self.bare_network
        return {
            "digest": "" if self.whole_base else base_digest(network, vits_of(network)),
            "file": file_record(path) if path.is_file() else None,
            "published": network.origins,
            "timm_name": timm_name(model.backbone, model.size_name),
            "coverage": None if coverage is None else asdict(coverage),
        }

    @cached_property
    def data_digests(self) -> dict[str, str]:
        """What the training depends on beside the run: the fold's cases, their files, the plans.

        Files are left out where no record says what was preprocessed.
        """
        training, validation = self.do_split()
        plans = {key: value for key, value in self.plans_manager.plans.items() if key != KEY}
        configuration = dict(self.configuration_manager.configuration)
        configuration.pop("architecture")
        plans["configurations"] = configuration
        digests = {
            "split": digest_of([sorted(training), sorted(validation)]),
            "plans": digest_of(plans),
        }
        root = Path(self.preprocessed_dataset_folder_base)
        record = DataFolder(root, self.configuration_manager.data_identifier).record()
        if record is not None:
            digests["files"] = digest_of(files_of_cases(record, {*training, *validation}))
        return digests

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

    def on_validation_epoch_start(self) -> None:
        """Validate the averaged weights, if there are any: they are what is kept."""
        super().on_validation_epoch_start()
        if self.average is not None:
            self.average.swap()

    def on_validation_epoch_end(self, val_outputs: list[JsonObject]) -> None:
        """Go back to the weights that are trained."""
        super().on_validation_epoch_end(val_outputs)
        if self.average is not None:
            self.average.swap()

    def perform_actual_validation(self, save_probabilities: bool = False) -> None:
        """Validate with sliding window, as nnU-Net does, the weights that are kept."""
        with self.averaged():
            super().perform_actual_validation(save_probabilities)

    def on_epoch_end(self) -> None:
        """Close the epoch as nnU-Net does, save what it asked for once, and report."""
        epoch = self.current_epoch
        super().on_epoch_end()
        if self._saves and (self._due or self.current_epoch == self.num_epochs):
            self.fold_folder.store.save(self._captured(), best=BEST_FILE in self._due)
        self._due = frozenset()
        self.report_epoch(epoch)

    @property
    def _saves(self) -> bool:
        return self.local_rank == 0 and not self.disable_checkpointing

    def save_checkpoint(self, filename: str) -> None:
        """Note that nnU-Net wants a checkpoint of the epoch, or write the finished model whole."""
        name = Path(filename).name
        if name in (LATEST_FILE, BEST_FILE):
            self._due |= {name}
        elif self._saves and self.run.train.save_whole_model:
            with self.averaged():
                write_full_model(Path(filename), self._whole())

    def _captured(self) -> Checkpoint:
        network = self.bare_network
        with self.averaged():
            stored = stored_tensors(network, self.whole_base, vits_of(network))
            weights = {name: tensor.detach().cpu() for name, tensor in stored.items()}
            if self.average is not None:  # the tensors are about to hold other values
                weights = {name: tensor.clone() for name, tensor in weights.items()}
        tensors, settings = optimizer_tensors(self.optimizer)
        if self.average is not None:
            parameters = dict(network.named_parameters())
            tensors |= {
                f"{TRAINED}{name}": parameters[name].detach() for name in self.average.values
            }
        return Checkpoint(self.current_epoch, weights, tensors, self._state(settings))

    def _state(self, optimizer: JsonObject) -> JsonObject:
        return {
            "run": self.run.model_dump(mode="json", include={"model", "lora", "train"}),
            "plans_name": self.plans_manager.plans_name,  # holds a digest of run and configuration
            "fold": self.fold,
            "seed": self.seed,
            "base": self.base_record,
            "data": self.data_digests,
            "optimizer": optimizer,
            "average_updates": self.average.updates if self.average is not None else 0,
            "random": random_state(),
            "best_ema": self._best_ema,
            "logging": self.logger.get_checkpoint(),
            "mirroring_axes": self.inference_allowed_mirroring_axes,
            "versions": versions() | self._head_version(),
        }

    def _head_version(self) -> dict[str, str]:
        head = head_package(self.run)
        return {head["distribution"]: head["version"]} if head else {}

    def _whole(self) -> JsonObject:
        # it names nnU-Net's own trainer, so that stock prediction needs no trainer of ours
        return {
            "network_weights": {n: t.cpu() for n, t in merged_state(self.bare_network).items()},
            "trainer_name": nnUNetTrainer.__name__,
            "init_args": {"configuration": self.configuration_name, "fold": self.fold},
            "inference_allowed_mirroring_axes": self.inference_allowed_mirroring_axes,
            "current_epoch": self.num_epochs,
            "_best_ema": plain(self._best_ema),
            "logging": plain(self.logger.get_checkpoint()),
        }
