"""What a training leaves on disk: what was trained, and nothing that is code."""

from dataclasses import asdict
from pathlib import Path

from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

from nnunet_vit.backbones import timm_name
from nnunet_vit.checkpoints.base import base_digest, is_in_file, stored_tensors
from nnunet_vit.checkpoints.fold_folder import ENDED
from nnunet_vit.checkpoints.full_model import PLANNED, plain
from nnunet_vit.checkpoints.optimizer import optimizer_tensors
from nnunet_vit.checkpoints.provenance import file_record, versions
from nnunet_vit.checkpoints.random_state import random_state
from nnunet_vit.checkpoints.stages import STAGES
from nnunet_vit.checkpoints.store import Checkpoint
from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.modeling.backbone import vits_of
from nnunet_vit.modeling.network import ViTSegmentationNetwork
from nnunet_vit.nnunet.plans import packages_of
from nnunet_vit.training.callback import Training
from nnunet_vit.training.callbacks.ema import WeightAveraging
from nnunet_vit.training.callbacks.ending import STOP
from nnunet_vit.tuning.adapters.merge import merged_state

TRAINED = "trained."  # before the names of weights that are trained while their average is kept


def holds_whole_base(network: ViTSegmentationNetwork) -> bool:
    """Tell whether checkpoints hold frozen blocks too: those that no file of weights brought."""
    coverage = network.coverage
    return not is_in_file(None if coverage is None else coverage.missing)


def record_of_base(run: ViTnnUNetConfig, network: ViTSegmentationNetwork) -> JsonObject:
    """Return what the checkpoints leave out and where it came from; it does not change."""
    coverage, model = network.coverage, run.model
    path = Path(model.checkpoint_path)
    whole = holds_whole_base(network)
    return {
        "digest": "" if whole else base_digest(network, vits_of(network)),
        "file": file_record(path) if path.is_file() else None,
        "published": network.origins,
        "timm_name": timm_name(model.backbone, model.size_name),
        "coverage": None if coverage is None else asdict(coverage),
    }


def checkpoint_of(training: Training) -> Checkpoint:
    """Return the state of a training between two epochs; its weights are the averaged ones."""
    network = training.bare_network
    averaging = training.callbacks.of(WeightAveraging)
    with averaging.in_network():
        stored = stored_tensors(network, holds_whole_base(network), vits_of(network))
        weights = {name: tensor.detach().cpu() for name, tensor in stored.items()}
        if averaging.average is not None:  # the tensors are about to hold other values
            weights = {name: tensor.clone() for name, tensor in weights.items()}
    tensors, settings = optimizer_tensors(training.optimizer)
    updates = 0
    if averaging.average is not None:
        parameters = dict(network.named_parameters())
        updates = averaging.average.updates
        tensors |= {
            f"{TRAINED}{name}": parameters[name].detach() for name in averaging.average.values
        }
    state = _state(training) | {"optimizer": settings, "average_updates": updates}
    return Checkpoint(training.current_epoch, weights, tensors, state)


def _state(training: Training) -> JsonObject:
    packages = packages_of(training.run).values()
    others = {package["distribution"]: package["version"] for package in packages}
    return {
        "run": training.run.model_dump(mode="json", include={"model", "lora", "train"}),
        "plans_name": training.plans_name,  # holds a digest of run and configuration
        "fold": training.fold,
        "seed": training.seed,
        "augmented_on": training.augmented_on,
        "base": training.base_record,
        "data": training.data_digests,
        "random": random_state(),
        "best_ema": training.best_average,
        "logging": training.logger.get_checkpoint(),
        "mirroring_axes": training.inference_allowed_mirroring_axes,
        STAGES: [list(stage) for stage in training.lr_scheduler.stages],
        ENDED: training.ended if training.ended != STOP else "",
        "versions": versions() | others,
    }


def full_model_of(training: Training, configuration: str) -> JsonObject:
    """Return the network as nnU-Net's checkpoint of a finished model, its adapters merged.

    It names nnU-Net's own trainer, so that stock prediction needs no trainer of ours.
    """
    state = merged_state(training.bare_network)
    return {
        "network_weights": {name: tensor.cpu() for name, tensor in state.items()},
        "trainer_name": nnUNetTrainer.__name__,
        "init_args": {"configuration": configuration, "fold": training.fold},
        "inference_allowed_mirroring_axes": training.inference_allowed_mirroring_axes,
        "current_epoch": training.num_epochs,
        PLANNED: training.lr_scheduler.stages[-1].end,
        "_best_ema": plain(training.best_average),
        "logging": plain(training.logger.get_checkpoint()),
    }
