"""A model of nnU-Net's own trainers, a U-Net most often, read without pickle."""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit.checkpoints.fold_folder import FoldFolder
from nnunet_vit.checkpoints.full_model import read_full_model
from nnunet_vit.data.description_file import read_description
from nnunet_vit.errors import DataError, ModelError
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.inference.loaded_model import LoadedModel, networks_of_folds
from nnunet_vit.nnunet.plans import KEY
from nnunet_vit.nnunet.plans_file import read_plans, resolved

if TYPE_CHECKING:
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager
    from torch import nn


COPY_AGAIN = "copy the model folder again."


@dataclass(frozen=True)
class StockModel:
    """A model folder that nnU-Net's own trainer has left.

    Attributes:
        path: holds plans.json, dataset.json and a folder per fold.
        plans: of nnU-Net.
        description: dataset.json.
        configuration: its plans, with what they inherit.
        name: of the configuration.
    """

    path: Path
    plans: JsonObject
    description: JsonObject
    configuration: JsonObject
    name: str


def is_stock(path: Path) -> bool:
    """Tell whether a model folder's plans are nnU-Net's own.

    Raises:
        ModelError: they cannot be read.
    """
    try:
        return KEY not in read_plans(path / "plans.json")
    except DataError as error:
        raise ModelError(error.problem, COPY_AGAIN) from error


def open_stock(path: Path, configuration: str) -> StockModel:
    """Return a model folder of nnU-Net's.

    Raises:
        ModelError: a file is damaged, or the plans lack the configuration.
    """
    file = path / "plans.json"
    try:
        plans = read_plans(file)
        if configuration not in plans["configurations"]:
            raise DataError(f"{file} lacks the configuration '{configuration}'.")
        own = resolved(file, plans, configuration)
        description = read_description(path / "dataset.json")
    except DataError as error:
        raise ModelError(error.problem, COPY_AGAIN) from error
    return StockModel(path, plans, description, own, configuration)


def load_stock(model: StockModel, folds: Sequence[int]) -> LoadedModel:
    """Return the network of nnU-Net's trainer with the weights of folds.

    Raises:
        ModelError: a checkpoint is damaged or holds Python objects, or its trainer is not there.
    """
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

    files = [FoldFolder(model.path / f"fold_{fold}").whole for fold in folds]
    contents = [read_full_model(file, of_nnunet=True) for file in files]
    lacking = [
        f"{file}: {key}"
        for file, content in zip(files, contents, strict=True)
        for key in ("network_weights", "trainer_name")
        if key not in content
    ]
    if lacking:
        raise ModelError(f"Missing in checkpoints of nnU-Net's: {', '.join(lacking)}.", COPY_AGAIN)
    plans, trainer = PlansManager(model.plans), str(contents[0]["trainer_name"])
    weights = [content["network_weights"] for content in contents]
    networks = networks_of_folds(lambda: _network(model, plans, trainer), weights, model.path)
    axes = contents[0].get("inference_allowed_mirroring_axes")
    configuration = plans.get_configuration(model.name)
    mirrored = None if axes is None else tuple(axes)
    return LoadedModel(networks, plans, configuration, model.description, mirrored)


def _network(model: StockModel, plans: "PlansManager", trainer: str) -> "nn.Module":
    """Return what the trainer builds, as nnU-Net's predictor asks for it."""
    from nnunetv2.utilities.find_objects import recursive_find_trainer_class_by_name
    from nnunetv2.utilities.label_handling.label_handling import determine_num_input_channels

    try:
        found = recursive_find_trainer_class_by_name(trainer)
    except RuntimeError as error:
        raise ModelError(
            f"{model.path} was trained by {trainer}, which this nnU-Net does not know.",
            fix="set nnUNet_extTrainer to the folder with its file, as for its training.",
        ) from error
    configuration = plans.get_configuration(model.name)
    channels = determine_num_input_channels(plans, configuration, model.description)
    outputs = plans.get_label_manager(model.description).num_segmentation_heads
    build = found.build_network_architecture
    first: tuple[object, ...] = (plans, configuration)
    if "plans_manager" not in inspect.signature(build).parameters:  # trainers of before 2.8
        first = (
            configuration.network_arch_class_name,
            configuration.network_arch_init_kwargs,
            configuration.network_arch_init_kwargs_req_import,
        )
    network: nn.Module = build(*first, channels, outputs, enable_deep_supervision=False)
    return network
