"""nnU-Net's trainer that saves, resumes and validates in this package's own format."""

from pathlib import Path

from nnunet_vit.checkpoints.fold_folder import BEST_FILE, FINAL_FILE, LATEST_FILE
from nnunet_vit.checkpoints.full_model import read_full_model, write_full_model
from nnunet_vit.data.preprocessing.in_use import train_on
from nnunet_vit.errors import ConfigError
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.inference.fold_weights import read_fold
from nnunet_vit.inference.model_folder import open_model
from nnunet_vit.nnunet.folders import claim
from nnunet_vit.training.callback_trainer import CallbackTrainer
from nnunet_vit.training.callbacks.checkpointing import Checkpointing
from nnunet_vit.training.callbacks.ema import WeightAveraging
from nnunet_vit.training.checkpoint_content import full_model_of
from nnunet_vit.training.resuming import resume, take_full_model, take_plain


class CheckpointTrainer(CallbackTrainer):
    """Follows nnU-Net's requests to save and to load.

    Attributes:
        resumes: whether nnU-Net was told to resume from a checkpoint.
        needs_pretrained_weights: whether the network that is built next reads them.
    """

    resumes: bool
    needs_pretrained_weights: bool

    def on_train_start(self) -> None:
        """Start as nnU-Net does, alone in the fold's folder and not over a result.

        Raises:
            MachineError: another process trains in the fold's folder.
            ConfigError: stock nnU-Net was told to start over a result, which it would overwrite.
        """
        train_on(
            Path(self.preprocessed_dataset_folder_base),
            f"fold {self.fold} of {self.configuration_name}",
        )
        self.claim_fold()
        if self.current_epoch == 0 and self.fold_folder.holds_result():
            if not self.resumes:
                raise ConfigError(
                    f"{self.output_folder} already holds a result of this run.",
                    fix="nnUNetv2_train … --c to resume, or delete the folder to start from "
                    "scratch.",
                )
            resume(self)  # stock nnU-Net looks for files that this trainer does not write
        super().on_train_start()

    def claim_fold(self) -> None:
        """Hold the fold's folder until the process ends: one process for all GPUs.

        Raises:
            MachineError: another process trains in it.
        """
        if self.local_rank == 0:
            held = claim(Path(self.output_folder))
            if held.notice:
                self.print_to_log_file(held.notice)

    def save_checkpoint(self, filename: str) -> None:
        """Note that nnU-Net wants a checkpoint of the epoch, or write the finished model whole."""
        name = Path(filename).name
        if name in (LATEST_FILE, BEST_FILE):
            self.callbacks.of(Checkpointing).request(name)
        elif self.saves and self.run.train.save_whole_model:
            with self.callbacks.of(WeightAveraging).in_network():
                write_full_model(Path(filename), full_model_of(self, self.configuration_name))

    def load_checkpoint(self, filename_or_checkpoint: JsonObject | str) -> None:
        """Take what nnU-Net names, in this trainer's own format.

        To resume, that is the newest state whatever file is named; else the one that is to be
        validated.
        """
        name = Path(str(filename_or_checkpoint)).name
        if self.resumes or name not in (FINAL_FILE, BEST_FILE):
            resume(self)
        elif name == BEST_FILE:
            model = open_model(Path(self.output_folder_base))
            take_plain(self, read_fold(model, self.fold, "best", base=None).weights)
        else:
            take_full_model(self, read_full_model(self.fold_folder.whole))

    def build_network(self, with_base: bool) -> None:
        """Build the network if there is none yet, with pretrained weights or without."""
        self.needs_pretrained_weights = with_base
        if not self.was_initialized:
            self.initialize()
