"""The files of a bundle, written into a folder before they become a zip."""

import contextlib
import json
from pathlib import Path

from nnunet_vit.checkpoints.directory import write_tensors
from nnunet_vit.checkpoints.disk import writing
from nnunet_vit.checkpoints.pointers import CHECKPOINTS, STATE
from nnunet_vit.checkpoints.provenance import PACKAGES
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.inference.fold_weights import FoldWeights
from nnunet_vit.inference.model_folder import ModelFolder
from nnunet_vit.sharing.bundle_format import (
    CARD,
    DESCRIPTION,
    FORMAT,
    MANIFEST,
    PLANS,
    SCHEMA,
    SHARED,
    TRAINED,
    WHOLE,
    FoldFacts,
    Manifest,
    manifest_from,
    weights_name,
)
from nnunet_vit.sharing.installed_record import facts_of, installed_manifest
from nnunet_vit.sharing.model_card import card_of
from nnunet_vit.sharing.model_content import ModelContent
from nnunet_vit.sharing.portable import portable_description, portable_plans
from nnunet_vit.sharing.validation_figures import validation_figures

OUR_TRAINER = "nnUNetTrainer_vit"  # of a folder whose name does not say it


def write_bundle(content: ModelContent, folder: Path) -> Manifest:
    """Write all files of a model's bundle into an empty folder and return its manifest.

    The same model gives the same bytes.

    Raises:
        ModelError: the network is built with a file of this machine.
        MachineError: the disk is full or not writable.
    """
    plans = portable_plans(content.model.plans)
    description = portable_description(content.model.description)
    with writing(folder, sum(map(_bytes, content.folds.values()))):
        write_text(folder / PLANS, as_text(plans))
        write_text(folder / DESCRIPTION, as_text(description))
        _write_weights(content, folder)
        manifest = manifest_of(content, plans)
        write_text(folder / CARD, card_of(manifest, plans, description))
        names = sorted(
            path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
        )
        manifest.files = {name: facts_of(folder / name) for name in names}
        write_text(folder / MANIFEST, as_text(manifest.as_json()))
    return manifest


def as_text(content: JsonObject) -> str:
    """Return JSON as it is written in bundles and model folders."""
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _write_weights(content: ModelContent, folder: Path) -> None:
    alike = content.shared()
    (folder / SHARED).parent.mkdir()
    if alike:
        first = next(iter(content.folds.values())).weights
        write_tensors(folder / SHARED, {name: first[name] for name in sorted(alike)})
    for fold, own in content.folds.items():
        tensors = {name: own.weights[name] for name in sorted(set(own.weights) - alike)}
        write_tensors(folder / weights_name(fold), tensors)


def manifest_of(content: ModelContent, plans: JsonObject) -> Manifest:
    """Return the manifest of a model's bundle, its files apart.

    Args:
        content: of the model.
        plans: that travel.

    Raises:
        ModelError: a name of the model is none that travels.
    """
    model = content.model
    origin = installed_manifest(model.path)
    folds = {fold: facts_of_fold(own).model_dump() for fold, own in content.folds.items()}
    facts = {
        "format": FORMAT,
        "schema": SCHEMA,
        "dataset": plans["dataset_name"],
        "trainer": _trainer_of(model.path) if origin is None else origin.trainer,
        "plans": plans["plans_name"],
        "configuration": model.run.data.configuration,
        "checkpoint": content.kind if origin is None else origin.checkpoint,
        "weights": WHOLE if content.pretrained is None else TRAINED,
        "folds": folds,
        "pretrained": content.pretrained,
        "packages": model.packages(),
        "versions": _versions(model) if origin is None else origin.versions,
        "validation": validation_figures(model, list(content.folds), content.kind),
        "files": {},
    }
    return manifest_from(facts, str(model.path))


def facts_of_fold(fold: FoldWeights) -> FoldFacts:
    """Return what a manifest says of a fold."""
    axes = fold.mirroring_axes
    given = {"mirroring_axes": None if axes is None else list(axes), "epochs": fold.epochs}
    return FoldFacts.model_validate(given)


def _trainer_of(folder: Path) -> str:
    """Return the trainer in the folder's name; a copy may be called anything."""
    words = folder.absolute().name.split("__")
    return words[0] if len(words) == 3 else OUR_TRAINER


def _versions(model: ModelFolder) -> dict[str, str]:
    """Return the versions that the model was trained with, as far as its folder says them."""
    for file in sorted(model.path.glob(f"fold_*/{CHECKPOINTS}/epoch_*/{STATE}")):
        with contextlib.suppress(OSError, ValueError, LookupError, TypeError):
            found = json.loads(file.read_text(encoding="utf-8"))["state"]["versions"]
            return {name: str(found[name]) for name in ("python", *PACKAGES) if name in found}
    return {"nnunet-vit": str(model.plans["nnunet_vit"]["version"])}


def _bytes(fold: FoldWeights) -> int:
    return sum(tensor.nbytes for tensor in fold.weights.values())


def write_text(file: Path, text: str) -> None:
    """Write a file of a folder that is not in its place yet."""
    file.write_text(text, encoding="utf-8", newline="\n")
