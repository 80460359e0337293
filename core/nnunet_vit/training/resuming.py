"""Resumes a training from what it left on disk, or refuses what another one left."""

from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from nnunet_vit.checkpoints.base import load_stored
from nnunet_vit.checkpoints.fold_folder import ENDED
from nnunet_vit.checkpoints.full_model import read_full_model
from nnunet_vit.checkpoints.optimizer import restore_optimizer
from nnunet_vit.checkpoints.stages import Stage, stages_of
from nnunet_vit.checkpoints.store import Checkpoint
from nnunet_vit.errors import ModelError
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.modeling.backbone import vits_of
from nnunet_vit.modeling.hub.published import pinned_weights
from nnunet_vit.training.callback import Training
from nnunet_vit.training.callbacks.checkpointing import Checkpointing
from nnunet_vit.training.callbacks.ema import WeightAveraging
from nnunet_vit.training.checkpoint_content import TRAINED
from nnunet_vit.training.data_digests import check_unchanged
from nnunet_vit.training.fold_folders import remove_merged


class Resumable(Training, Protocol):
    """A training that has no network until it is known what to resume from.

    Attributes:
        device: torch's, of the network.
        preprocessed_dataset_folder_base: the dataset's folder of preprocessed data.
    """

    device: torch.device
    preprocessed_dataset_folder_base: str

    def build_network(self, with_base: bool) -> None:
        """Build the network if there is none yet, with pretrained weights or without."""


def resume(training: Resumable) -> bool:
    """Resume from the newest checkpoint; a finished run's whole model needs no base weights.

    Returns:
        Whether it is a checkpoint: nothing is resumed from a whole model, which is validated again.

    Raises:
        ModelError: no checkpoint is intact, it is of another run or other data, or its base is.
    """
    folder = training.fold_folder
    if folder.ends_with_full_model(training.num_epochs):
        _check_finished(training)
        take_full_model(training, read_full_model(folder.whole))
        return False
    checkpoint = folder.store.latest(training.device)
    if checkpoint is None:
        raise ModelError(
            f"There is no checkpoint in {folder.path}.",
            fix="a training of more epochs needs one, a finished model alone cannot be lengthened: "
            "--overwrite starts from scratch."
            if folder.whole.is_file()
            else "",
        )
    take_checkpoint(training, checkpoint)
    return True


def _check_finished(training: Resumable) -> None:
    """Refuse to validate a finished model on other data than its last checkpoint names."""
    try:
        last = training.fold_folder.checkpoint("latest")
    except ModelError:  # the whole model needs none of them
        return
    if last is not None:
        check_same_run(training, last.state)


def check_same_run(training: Resumable, state: JsonObject) -> None:
    """Refuse the checkpoint of another run, another fold or other data.

    Raises:
        ModelError: it says what differs and what to do.
    """
    folder = training.fold_folder.path
    if (state["fold"], state["plans_name"]) != (training.fold, training.plans_name):
        raise ModelError(
            f"The checkpoint in {folder} is of fold {state['fold']} of {state['plans_name']}.",
            fix="copy back the fold's own folder, or --overwrite to start from scratch.",
        )
    data = Path(training.preprocessed_dataset_folder_base)
    check_unchanged(training.data_digests, state["data"], folder, data=data)


def take_checkpoint(training: Resumable, checkpoint: Checkpoint) -> None:
    """Continue where a checkpoint of the same run was saved.

    Raises:
        ModelError: it is of another run or other data, or its base weights are not there.
    """
    state = checkpoint.state
    check_same_run(training, state)
    training.seed = state["seed"]
    training.augmented_on = state.get("augmented_on", "cpu")  # earlier versions: in workers alone
    with pinned_weights(state["base"].get("published") or []):
        training.build_network(with_base=bool(state["base"]["digest"]))
    network = training.bare_network
    load_stored(network, checkpoint.weights, state["base"]["digest"], backbones=vits_of(network))
    training.base_record = state["base"]
    _take_optimizer(training, checkpoint)
    training.current_epoch = checkpoint.epoch
    _take_length(training, state)
    training.logger.load_checkpoint(state["logging"])
    training.best_average = state["best_ema"]
    axes = state["mirroring_axes"]
    training.inference_allowed_mirroring_axes = None if axes is None else tuple(axes)
    training.callbacks.of(Checkpointing).random_state = state["random"]


def _take_length(training: Resumable, state: JsonObject) -> None:
    """End where the checkpoint's training does, or plan the rates of more epochs."""
    stages, epoch = stages_of(state), training.current_epoch
    planned, wanted = stages[-1].end, training.num_epochs
    if wanted > planned:
        stages.append(Stage(epoch, wanted))
        said = (
            f"The training is lengthened from {planned} to {wanted} epochs: after epoch {epoch} "
            "the learning rates rise and fall once more."
        )
        training.print_to_log_file(said)
        training.progress.log(said)
        if training.saves:  # one process of all
            training.fold_folder.reopen()
            remove_merged(training.fold_folder.path.parent, [training.fold])
    elif state.get(ENDED):
        training.num_epochs = epoch
    training.lr_scheduler.stages = stages


def _take_optimizer(training: Resumable, checkpoint: Checkpoint) -> None:
    own: dict[str, Tensor] = {}
    trained: dict[str, Tensor] = {}
    for name, tensor in checkpoint.optimizer.items():
        place = trained if name.startswith(TRAINED) else own
        place[name.removeprefix(TRAINED)] = tensor
    restore_optimizer(training.optimizer, own, checkpoint.state["optimizer"])
    average = training.callbacks.of(WeightAveraging).average
    if average is not None:
        average.restore(trained, checkpoint.state["average_updates"])


def take_full_model(training: Resumable, content: JsonObject) -> None:
    """Take a finished model, to validate it."""
    take_plain(training, content["network_weights"])
    training.current_epoch = training.num_epochs = content["current_epoch"]
    training.logger.load_checkpoint(content["logging"])
    training.best_average = content["_best_ema"]
    training.inference_allowed_mirroring_axes = content["inference_allowed_mirroring_axes"]


def take_plain(training: Resumable, weights: dict[str, Tensor]) -> None:
    """Take weights whose adapters are merged and which are averaged: to validate, not to train."""
    training.build_network(with_base=False)
    training.callbacks.of(WeightAveraging).stop()
    training.bare_network.load_state_dict(weights)
