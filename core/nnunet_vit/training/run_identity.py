"""The name under which a run's results are: its own, or that of a shorter run."""

import json
from dataclasses import dataclass
from pathlib import Path

from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.config.recipe_version import as_first_recipe
from nnunet_vit.data.dataset import Dataset
from nnunet_vit.errors import ConfigError
from nnunet_vit.nnunet.folders import folder
from nnunet_vit.nnunet.plans import KEY, NAMED_EPOCHS, says_cpu_bfloat16
from nnunet_vit.nnunet.run_names import name_where_found, readable_part

TRAINER = "nnUNetTrainer_vit"


@dataclass(frozen=True)
class Identity:
    """What a run is called.

    Attributes:
        name: of the run and of its plans.
        named_epochs: the number of epochs that the name was made for.
        planned_epochs: for which it was planned last; None: it has no plans yet.
        folder: nnU-Net's folder of the run's models.
        cpu_bfloat16: as of `network_arguments`; a run that was begun keeps it.
    """

    name: str
    named_epochs: int
    planned_epochs: int | None
    folder: Path
    cpu_bfloat16: bool = True


def identity_of(dataset: Dataset, run: ViTnnUNetConfig, *, lengthens: bool) -> Identity:
    """Return what the run is called.

    A run that was lengthened keeps the folder and the name of the shorter one.

    Args:
        dataset: that is there.
        run: resolved.
        lengthens: whether the run may be a shorter one that is to be continued for more epochs.

    Raises:
        ConfigError: the run was lengthened to more epochs than it asks for now, or several shorter
            ones could be meant.
    """
    own = name_where_found(run, folder("results") / dataset.name, _pattern(run))
    known = _known(dataset, run, own)
    if known is None and not lengthens:
        return _new(dataset, run, own)
    if known is None:
        others = [each for each in _relatives(dataset, run, own) if _is_of(dataset, run, each)]
        epochs = run.train.num_epochs
        found = [each for each in others if each.planned_epochs == epochs] or [
            each for each in others if (each.planned_epochs or 0) < epochs
        ]
        if len(found) > 1:
            raise _ambiguous(found, epochs)
        return found[0] if found else _new(dataset, run, own)
    if known.planned_epochs is not None and known.planned_epochs > run.train.num_epochs:
        raise ConfigError(
            f"{known.folder} was lengthened to {known.planned_epochs} epochs; train.num_epochs is "
            f"{run.train.num_epochs}.",
            fix=f"--set train.num_epochs={known.planned_epochs} with --continue; or move that "
            "folder away to train the shorter run again.",
        )
    return known


def results_of_first_recipe(
    dataset: Dataset, run: ViTnnUNetConfig, *, lengthens: bool
) -> Path | None:
    """Return the results that a version without recipes has of the same run file; None: none.

    Args:
        dataset: that is there.
        run: resolved.
        lengthens: as of `identity_of`.
    """
    before = as_first_recipe(run)
    if before is None:
        return None
    place = identity_of(dataset, before, lengthens=lengthens).folder
    return place if place.is_dir() else None


def _new(dataset: Dataset, run: ViTnnUNetConfig, name: str) -> Identity:
    return Identity(name, run.train.num_epochs, None, _model_folder(dataset, run, name))


def _known(dataset: Dataset, run: ViTnnUNetConfig, name: str) -> Identity | None:
    """Return the run of that name if it has results, with what its plans say of its length."""
    place = _model_folder(dataset, run, name)
    if not place.is_dir():
        return None
    try:  # the plans that a training has written when it began
        plans = json.loads((place / "plans.json").read_text(encoding="utf-8"))
        stored, planned = plans[KEY], int(plans[KEY]["run"]["train"]["num_epochs"])
        named = int(stored.get(NAMED_EPOCHS, planned))
        return Identity(name, named, planned, place, says_cpu_bfloat16(plans))
    except (OSError, ValueError, LookupError, TypeError):
        return Identity(name, run.train.num_epochs, None, place)


def _relatives(dataset: Dataset, run: ViTnnUNetConfig, own: str) -> list[Identity]:
    """Return the runs whose names differ from the run's in the digest alone."""
    pattern = _pattern(run).format(f"{readable_part(own)}-*")
    found = sorted((folder("results") / dataset.name).glob(pattern))
    known = [_known(dataset, run, place.name.split("__")[1]) for place in found]
    return [each for each in known if each is not None and each.name != own]


def _is_of(dataset: Dataset, run: ViTnnUNetConfig, other: Identity) -> bool:
    """Tell whether the other run is this one with another number of epochs."""
    train = run.train.model_copy(update={"num_epochs": other.named_epochs})
    shorter = run.model_copy(update={"train": train})
    results = folder("results") / dataset.name
    return name_where_found(shorter, results, _pattern(run)) == other.name


def _ambiguous(found: list[Identity], epochs: int) -> ConfigError:
    names = ", ".join(f"{each.folder.name} ({each.planned_epochs} epochs)" for each in found)
    return ConfigError(
        f"--continue with {epochs} epochs could lengthen several runs: {names}.",
        fix="move the folders of the others away, or leave out --continue to train a new run.",
    )


def _pattern(run: ViTnnUNetConfig) -> str:
    return f"{TRAINER}__{{}}__{run.data.configuration}"


def _model_folder(dataset: Dataset, run: ViTnnUNetConfig, name: str) -> Path:
    return folder("results") / dataset.name / _pattern(run).format(name)
