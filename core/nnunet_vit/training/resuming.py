"""The part of the trainer that resumes from what a training left on disk."""

from pathlib import Path

from torch import Tensor

from nnunet_vit.checkpoints.base import load_stored
from nnunet_vit.checkpoints.fold_folder import BEST_FILE, FINAL_FILE
from nnunet_vit.checkpoints.full_model import read_full_model
from nnunet_vit.checkpoints.optimizer import restore_optimizer
from nnunet_vit.checkpoints.random_state import restore_random_state
from nnunet_vit.checkpoints.store import Checkpoint
from nnunet_vit.data.preprocessing.in_use import train_on
from nnunet_vit.data.preprocessing.split_update import KEPT
from nnunet_vit.errors import ConfigError, ModelError
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.inference.fold_weights import read_fold
from nnunet_vit.inference.model_folder import open_model
from nnunet_vit.modeling.backbone import vits_of
from nnunet_vit.modeling.hub.published import pinned_weights
from nnunet_vit.nnunet.folders import claim
from nnunet_vit.training.saving import TRAINED, SavingTrainer

DEPENDS_ON = {  # of SavingTrainer.data_digests
    "split": "the fold's training and validation cases",
    "plans": "nnU-Net's plans",
    "files": "the images, labels or classes that the data were preprocessed from",
}


class ResumingTrainer(SavingTrainer):
    """nnU-Net's trainer that resumes from its own checkpoints, or refuses those of others.

    Attributes:
        resumes: whether nnU-Net was told to resume from a checkpoint.
        needs_pretrained_weights: whether the network that is built next reads them.
    """

    resumes: bool
    needs_pretrained_weights: bool
    _random_state: JsonObject | None = None  # of the checkpoint that is resumed from

    def on_train_start(self) -> None:
        """Start as nnU-Net does; random numbers continue where the checkpoint left them.

        Raises:
            MachineError: another process trains in the fold's folder.
            ConfigError: stock nnU-Net was told to start over a result, which it would overwrite.
        """
        train_on(
            Path(self.preprocessed_dataset_folder_base),
            f"fold {self.fold} of {self.configuration_name}",
        )
        self.claim_fold()
        held = self.fold_folder.holds_result()
        if held and self.current_epoch == 0 and not self.resumes:
            raise ConfigError(
                f"{self.output_folder} already holds a result of this run.",
                fix="nnUNetv2_train … --c to resume, or delete the folder to start from scratch.",
            )
        if held and self.current_epoch == 0:
            self.resume()  # stock nnU-Net looks for files that this trainer does not write
        super().on_train_start()
        if self._random_state is not None:  # making the loaders has used some
            restore_random_state(self._random_state)
            self._random_state = None

    def claim_fold(self) -> None:
        """Hold the fold's folder until the process ends: one process for all GPUs.

        Raises:
            MachineError: another process trains in it.
        """
        if self.local_rank == 0:
            held = claim(Path(self.output_folder))
            if held.notice:
                self.print_to_log_file(held.notice)

    def load_checkpoint(self, filename_or_checkpoint: JsonObject | str) -> None:
        """Take what nnU-Net names, in this trainer's own format.

        To resume, that is the newest state whatever file is named; else the one that is to be
        validated.
        """
        name = Path(str(filename_or_checkpoint)).name
        if self.resumes or name not in (FINAL_FILE, BEST_FILE):
            self.resume()
        elif name == BEST_FILE:
            model = open_model(Path(self.output_folder_base))
            self._take_plain(read_fold(model, self.fold, "best", base=None).weights)
        else:
            self._take_full_model(read_full_model(self.fold_folder.whole))

    def resume(self) -> None:
        """Resume from the newest checkpoint; a finished run's whole model needs no base weights.

        Raises:
            ModelError: no checkpoint is intact, it is of another run or other data, or its base is.
        """
        if self.fold_folder.ends_with_full_model(self.num_epochs):
            self._check_finished()
            self._take_full_model(read_full_model(self.fold_folder.whole))
            return
        checkpoint = self.fold_folder.store.latest(self.device)
        if checkpoint is None:
            raise ModelError(f"There is no checkpoint in {self.output_folder}.")
        self._take(checkpoint)

    def _check_finished(self) -> None:
        """Refuse to validate a finished model on other data than its last checkpoint names."""
        try:
            last = self.fold_folder.checkpoint("latest")
        except ModelError:  # the whole model needs none of them
            return
        if last is not None:
            self._check_same_run(last.state)

    def _take(self, checkpoint: Checkpoint) -> None:
        state = checkpoint.state
        self._check_same_run(state)
        self.seed = state["seed"]
        with pinned_weights(state["base"].get("published") or []):
            self._build(with_base=bool(state["base"]["digest"]))
        network = self.bare_network
        load_stored(network, checkpoint.weights, state["base"]["digest"], vits_of(network))
        self.base_record = state["base"]
        self._take_optimizer(checkpoint)
        self._take_history(checkpoint.epoch, state)

    def _build(self, with_base: bool) -> None:
        self.needs_pretrained_weights = with_base
        if not self.was_initialized:
            self.initialize()

    def _check_same_run(self, state: JsonObject) -> None:
        if (state["fold"], state["plans_name"]) != (self.fold, self.plans_manager.plans_name):
            raise ModelError(
                f"The checkpoint in {self.output_folder} is of fold {state['fold']} of "
                f"{state['plans_name']}.",
                fix="copy back the fold's own folder, or --overwrite to start from scratch.",
            )
        own = self.data_digests
        changed = [name for name in own if state["data"].get(name, own[name]) != own[name]]
        if "split" in changed:  # other cases have other files
            changed = [name for name in changed if name != "files"]
        if changed:
            raise ModelError(
                f"Since the checkpoint in {self.output_folder} was saved, "
                f"{' and '.join(DEPENDS_ON[name] for name in changed)} have changed.",
                fix="bring back splits_final.json, nnUNetPlans.json and the raw data as they were"
                f"{self._splits_before_update()}, or --overwrite to start from scratch.",
            )

    def _splits_before_update(self) -> str:
        """Return the words for the splits that --update-data has kept, if there are any."""
        folder = Path(self.preprocessed_dataset_folder_base)
        kept = sorted(file.name for file in folder.glob(KEPT.format("*")))
        return f" (--update-data has kept {', '.join(kept)})" if kept else ""

    def _take_optimizer(self, checkpoint: Checkpoint) -> None:
        own: dict[str, Tensor] = {}
        trained: dict[str, Tensor] = {}
        for name, tensor in checkpoint.optimizer.items():
            place = trained if name.startswith(TRAINED) else own
            place[name.removeprefix(TRAINED)] = tensor
        restore_optimizer(self.optimizer, own, checkpoint.state["optimizer"])
        if self.average is not None:
            self.average.restore(trained, checkpoint.state["average_updates"])

    def _take_history(self, epoch: int, state: JsonObject) -> None:
        self.current_epoch = epoch
        self.logger.load_checkpoint(state["logging"])
        self._best_ema = state["best_ema"]
        axes = state["mirroring_axes"]
        self.inference_allowed_mirroring_axes = None if axes is None else tuple(axes)
        self._random_state = state["random"]

    def _take_full_model(self, content: JsonObject) -> None:
        self._take_plain(content["network_weights"])
        self.current_epoch = content["current_epoch"]
        self.logger.load_checkpoint(content["logging"])
        self._best_ema = content["_best_ema"]
        self.inference_allowed_mirroring_axes = content["inference_allowed_mirroring_axes"]

    def _take_plain(self, weights: dict[str, Tensor]) -> None:
        # adapters are merged in, and averaged weights are what they are: to validate, not to train
        self._build(with_base=False)
        self.average = None
        self.bare_network.load_state_dict(weights)
