"""A model folder as nnU-Net reads it: plans.json, dataset.json, fold_N/checkpoint_final.pth."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit.checkpoints.disk import writing
from nnunet_vit.checkpoints.fold_folder import FINAL_FILE, fold_of
from nnunet_vit.checkpoints.full_model import write_full_model
from nnunet_vit.errors import ConfigError
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.files.writable import check_writable
from nnunet_vit.sharing.bundle_folder import as_text, facts_of_fold, manifest_of, write_text
from nnunet_vit.sharing.bundle_format import CARD, DESCRIPTION, PLANS, FoldFacts
from nnunet_vit.sharing.model_card import card_of
from nnunet_vit.sharing.model_content import ModelContent
from nnunet_vit.sharing.portable import portable_description, portable_plans
from nnunet_vit.sharing.whole_folder import staged

if TYPE_CHECKING:
    from torch import Tensor

STOCK_TRAINER = "nnUNetTrainer"  # every nnU-Net has it, and it builds what the plans describe


def check_new_folder(folder: Path, given: str) -> None:
    """Refuse a folder that holds something, or that cannot be written.

    Raises:
        ConfigError: it is there and not empty.
        MachineError: it cannot be written.
    """
    if folder.is_dir() and any(folder.iterdir()):
        raise ConfigError(f"{given} is there and not empty.", fix="another folder.")
    check_writable(folder, given)


def write_nnunet_folder(content: ModelContent, folder: Path) -> None:
    """Write a model as nnU-Net's folder, whole or not at all; only what prediction needs.

    Raises:
        ModelError: the network is built with a file of this machine.
        MachineError: the disk is full or not writable.
    """
    plans = portable_plans(content.model.plans)
    description = portable_description(content.model.description)
    manifest = manifest_of(content, plans)
    with writing(folder, 0), staged(folder) as unfinished:
        write_text(unfinished / PLANS, as_text(plans))
        write_text(unfinished / DESCRIPTION, as_text(description))
        write_text(unfinished / CARD, card_of(manifest, plans, description))
        for fold, own in content.folds.items():
            facts = facts_of_fold(own)
            write_fold(unfinished, fold, own.weights, facts=facts, plans=plans)


def write_fold(
    folder: Path,
    fold: str,
    weights: "Mapping[str, Tensor]",
    *,
    facts: FoldFacts,
    plans: JsonObject,
) -> None:
    """Write a fold's weights as the checkpoint that nnU-Net predicts with.

    Args:
        folder: of the model.
        fold: its number, or `all`.
        weights: of the network, adapters merged.
        facts: of the fold.
        plans: of the model; they have one configuration.

    Raises:
        MachineError: the disk is full or not writable.
    """
    (configuration,) = plans["configurations"]
    place = folder / f"fold_{fold}"
    place.mkdir()
    axes = facts.mirroring_axes
    content: JsonObject = {
        "network_weights": dict(weights),
        "trainer_name": STOCK_TRAINER,
        "init_args": {
            "configuration": configuration,
            "fold": fold_of(fold),
        },
        "inference_allowed_mirroring_axes": None if axes is None else tuple(axes),
    }
    if facts.epochs is not None:
        content["current_epoch"] = facts.epochs
    write_full_model(place / FINAL_FILE, content)
