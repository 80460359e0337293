"""Fingerprint, plans and preprocessed data, made by nnU-Net where they are missing."""

import json
from pathlib import Path
from typing import Any

from nnunet_vit.errors import ConfigError, DataError
from nnunet_vit.nnunet.dataset import Dataset
from nnunet_vit.nnunet.folders import alone_in
from nnunet_vit.nnunet.planning import PLANS, plan, preprocess
from nnunet_vit.report.progress import Progress

FLAT = "2d"


def prepare(dataset: Dataset, configuration: str, progress: Progress) -> dict[str, Any]:
    """Return the dataset's plans; plan and preprocess first where that has not been done.

    Raises:
        ConfigError: the plans have no such configuration, or it is not 2D.
        DataError: nnU-Net finds the dataset unfit, or there is nothing to prepare from.
    """
    plans_file = dataset.preprocessed / f"{PLANS}.json"
    if not plans_file.is_file() and configuration != FLAT:
        raise ConfigError(
            f"data.configuration: '{configuration}' is none of a new dataset's; allowed: {FLAT}."
        )
    with alone_in(dataset.preprocessed):
        return _prepared(dataset, configuration, plans_file, progress)


def _prepared(
    dataset: Dataset, configuration: str, plans_file: Path, progress: Progress
) -> dict[str, Any]:
    if not plans_file.is_file():
        _require_raw(dataset, plans_file)
        progress.say(f"Planning {dataset.name}: its fingerprint and nnU-Net's plans …")
        plan(dataset, progress)
    plans: dict[str, Any] = json.loads(plans_file.read_text(encoding="utf-8"))
    check_configuration(plans, configuration)
    identifier = _data_identifier(plans, configuration)
    if not _is_preprocessed(dataset, dataset.preprocessed / identifier):
        _require_raw(dataset, dataset.preprocessed / identifier)
        progress.say(
            f"Preprocessing {dataset.description['numTraining']} cases of {dataset.name} …"
        )
        preprocess(dataset, configuration, progress)
    return plans


def _require_raw(dataset: Dataset, missing: Path) -> None:
    if dataset.raw is None:
        raise DataError(
            f"{missing} is missing and there are no raw data of {dataset.name} to make it from."
        )


def check_configuration(plans: dict[str, Any], configuration: str) -> None:
    """Refuse a configuration that the plans lack or that is not 2D.

    Raises:
        ConfigError: names those that there are.
    """
    known = plans["configurations"]
    if configuration not in known:
        raise ConfigError(
            f"data.configuration: the plans have no configuration '{configuration}'; "
            f"they have: {', '.join(known)}."
        )
    if len(_resolved(plans, configuration)["patch_size"]) != 2:
        flat = [name for name in known if len(_resolved(plans, name)["patch_size"]) == 2]
        raise ConfigError(
            f"data.configuration: '{configuration}' is 3D, a ViT here sees 2D slices; "
            f"2D configurations: {', '.join(flat)}."
        )


def _data_identifier(plans: dict[str, Any], configuration: str) -> str:
    return str(_resolved(plans, configuration)["data_identifier"])


def _resolved(plans: dict[str, Any], configuration: str) -> dict[str, Any]:
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

    return dict(PlansManager(plans).get_configuration(configuration).configuration)


def _is_preprocessed(dataset: Dataset, folder: Path) -> bool:
    """Tell whether every case is there with its ground truth; a killed run leaves fewer."""
    cases = {file.stem for file in folder.glob("*.pkl")}
    truth = dataset.preprocessed / "gt_segmentations"
    ending = dataset.description["file_ending"]
    known = {file.name.removesuffix(ending) for file in truth.glob(f"*{ending}")}
    return bool(cases) and cases == known and len(cases) >= int(dataset.description["numTraining"])
