"""What a training leaves on disk, and how it goes on from it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer
from torch import Tensor

from nnunet_vit.checkpoints.base import base_digest, load_stored, stored_tensors
from nnunet_vit.checkpoints.optimizer import optimizer_tensors, restore_optimizer
from nnunet_vit.checkpoints.random_state import random_state
from nnunet_vit.checkpoints.record import file_record, versions
from nnunet_vit.checkpoints.store import Checkpoint
from nnunet_vit.checkpoints.whole import plain, read_whole
from nnunet_vit.errors import ModelError
from nnunet_vit.tuning.adapters.merge import merged_state

if TYPE_CHECKING:
    from nnunet_vit.nnunet.trainer import nnUNetTrainer_vit

FINAL = "checkpoint_final.pth"  # nnU-Net's name of a finished model
TRAINED = "trained."  # before the names of weights that are trained while their average is kept


def captured(trainer: "nnUNetTrainer_vit") -> Checkpoint:
    """Return the state of a training between two epochs."""
    network, average = trainer.bare_network, trainer.average
    everything = not trainer.run.model.pretrained  # random frozen weights have no file
    with trainer.averaged():
        weights = {n: t.detach().cpu() for n, t in stored_tensors(network, everything).items()}
        if average is not None:  # the network's own tensors are about to hold other values
            weights = {name: tensor.clone() for name, tensor in weights.items()}
    tensors, settings = optimizer_tensors(trainer.optimizer)
    if average is not None:
        parameters = dict(network.named_parameters())
        tensors |= {f"{TRAINED}{name}": parameters[name].detach() for name in average.values}
    return Checkpoint(trainer.current_epoch, weights, tensors, _state(trainer, settings))


def _state(trainer: "nnUNetTrainer_vit", optimizer: dict[str, Any]) -> dict[str, Any]:
    state = {
        "run": trainer.run.model_dump(mode="json", include={"model", "lora", "train"}),
        "configuration": trainer.configuration_name,
        "fold": trainer.fold,
        "seed": trainer.seed,
        "base": trainer.base_record,
        "optimizer": optimizer,
        "average_updates": trainer.average.updates if trainer.average is not None else 0,
        "random": random_state(),
        "best_ema": trainer._best_ema,
        "logging": trainer.logger.get_checkpoint(),
        "mirroring_axes": trainer.inference_allowed_mirroring_axes,
        "versions": versions(),
    }
    readable: dict[str, Any] = plain(state)
    return readable


def base_record(trainer: "nnUNetTrainer_vit") -> dict[str, Any]:
    """Return what the checkpoints' frozen weights are and where they came from."""
    if not trainer.run.model.pretrained:
        return {"digest": "", "file": None}
    path = Path(trainer.run.model.checkpoint_path)
    return {
        "digest": base_digest(trainer.bare_network),
        "file": file_record(path) if path.is_file() else None,
    }


def whole_model(trainer: "nnUNetTrainer_vit") -> dict[str, Any]:
    """Return nnU-Net's checkpoint of a finished model, adapters merged, in plain types.

    It names nnU-Net's own trainer, so that stock prediction needs no trainer of ours.
    """
    return {
        "network_weights": merged_state(trainer.bare_network),
        "trainer_name": nnUNetTrainer.__name__,
        "init_args": {"configuration": trainer.configuration_name, "fold": trainer.fold},
        "inference_allowed_mirroring_axes": trainer.inference_allowed_mirroring_axes,
        "current_epoch": trainer.num_epochs,
        "_best_ema": plain(trainer._best_ema),
        "logging": plain(trainer.logger.get_checkpoint()),
    }


def restore(trainer: "nnUNetTrainer_vit") -> None:
    """Bring a trainer to the newest state of its fold.

    Raises:
        ModelError: no checkpoint is intact, it is of another run, or its base is.
    """
    whole = Path(trainer.output_folder) / FINAL
    if whole.is_file() and trainer.store.epoch_of_latest() in (None, trainer.num_epochs):
        _restore_finished(trainer, whole)
        return
    checkpoint = trainer.store.latest(trainer.device)
    if checkpoint is None:
        raise ModelError(f"There is no checkpoint in {trainer.output_folder}.")
    _check_same_run(trainer, checkpoint.state)
    trainer.seed = checkpoint.state["seed"]
    trainer.needs_pretrained_weights = bool(checkpoint.state["base"]["digest"])
    if not trainer.was_initialized:
        trainer.initialize()
    load_stored(trainer.bare_network, checkpoint.weights, checkpoint.state["base"]["digest"])
    _restore_optimizer(trainer, checkpoint)
    _restore_history(trainer, checkpoint)


def _restore_finished(trainer: "nnUNetTrainer_vit", path: Path) -> None:
    content = read_whole(path)
    trainer.needs_pretrained_weights = False
    if not trainer.was_initialized:
        trainer.initialize()
    trainer.average = None  # the whole model holds it
    trainer.bare_network.load_state_dict(content["network_weights"])
    trainer.current_epoch = content["current_epoch"]
    trainer.logger.load_checkpoint(content["logging"])
    trainer._best_ema = content["_best_ema"]
    trainer.inference_allowed_mirroring_axes = content["inference_allowed_mirroring_axes"]


def _check_same_run(trainer: "nnUNetTrainer_vit", state: dict[str, Any]) -> None:
    own = trainer.run.model_dump(mode="json", include={"model", "lora"})
    of_checkpoint = {name: state["run"].get(name) for name in own}
    if (state["fold"], state["configuration"], of_checkpoint) != (
        trainer.fold,
        trainer.configuration_name,
        own,
    ):
        raise ModelError(
            f"The checkpoint in {trainer.output_folder} is of another run or of fold "
            f"{state['fold']}.",
            fix="copy back the fold's own folder, or --overwrite to start anew.",
        )


def _restore_optimizer(trainer: "nnUNetTrainer_vit", checkpoint: Checkpoint) -> None:
    own: dict[str, Tensor] = {}
    trained: dict[str, Tensor] = {}
    for name, tensor in checkpoint.optimizer.items():
        if name.startswith(TRAINED):
            trained[name.removeprefix(TRAINED)] = tensor
        else:
            own[name] = tensor
    restore_optimizer(trainer.optimizer, own, checkpoint.state["optimizer"])
    if trainer.average is not None:
        trainer.average.restore(trained, checkpoint.state["average_updates"])


def _restore_history(trainer: "nnUNetTrainer_vit", checkpoint: Checkpoint) -> None:
    state = checkpoint.state
    trainer.current_epoch = checkpoint.epoch
    trainer.logger.load_checkpoint(state["logging"])
    trainer._best_ema = state["best_ema"]
    axes = state["mirroring_axes"]
    trainer.inference_allowed_mirroring_axes = None if axes is None else tuple(axes)
    trainer.continue_with_random_state(state["random"])
