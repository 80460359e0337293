"""A trained model's folder: which folds it has, and the network that its plans describe."""

import contextlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnunet_vit.checkpoints.fold_folder import FOLD, KINDS, FoldFolder, Kind, fold_of
from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.data.model_files import MODEL_FILES, read_model
from nnunet_vit.errors import ConfigError, ModelError, UserError, did_you_mean, shortened
from nnunet_vit.files.json_file import JsonObject

if TYPE_CHECKING:
    from nnunet_vit.modeling.network import ViTSegmentationNetwork


def kind_of(word: str) -> Kind:
    """Return the kind of checkpoint that a word or nnU-Net's file name means.

    Raises:
        ConfigError: there is no such kind.
    """
    name = word.removeprefix("checkpoint_").removesuffix(".pth")
    for kind in KINDS:
        if name == kind:
            return kind
    raise ConfigError(
        f"--checkpoint {word} is unknown.{did_you_mean(name, KINDS)} Allowed: {', '.join(KINDS)}.",
        fix="leave it out for final, or name another one of these.",
    )


@dataclass(frozen=True)
class ModelFolder:
    """A folder that `vit_cli train` prints last, or a copy of it.

    Attributes:
        path: holds plans.json, dataset.json and a folder per fold.
        plans: of nnU-Net, with the run inside.
        description: dataset.json.
    """

    path: Path
    plans: JsonObject
    description: JsonObject

    @property
    def configuration(self) -> JsonObject:
        """The plans of the configuration that was trained."""
        return dict(self.plans["configurations"][self.run.data.configuration])

    @property
    def run(self) -> ViTnnUNetConfig:
        """The run that was trained."""
        from nnunet_vit.nnunet.plans import run_of_plans

        return run_of_plans(self.plans)

    def packages(self) -> dict[str, dict[str, str]]:
        """Return distribution and version of what it was trained with: head, backbone, tuning.

        Plans say it; before they did, small checkpoints listed the head's among the versions.
        """
        from nnunet_vit.checkpoints.provenance import PACKAGES
        from nnunet_vit.nnunet.plans import GROUPS, KEY

        known = {kind: self.plans[KEY].get(kind) for kind in GROUPS}
        found = {
            kind: {key: str(own[key]) for key in ("distribution", "version")}
            for kind, own in known.items()
            if isinstance(own, dict) and {"distribution", "version"} <= set(own)
        }
        if found:
            return found
        for state in sorted(self.path.glob("fold_*/ckpt/epoch_*/state.json")):
            with contextlib.suppress(OSError, ValueError, KeyError, AttributeError, TypeError):
                versions = json.loads(state.read_text(encoding="utf-8"))["state"]["versions"]
                others = set(versions) - {*PACKAGES, "python"}
                name = min(others)
                return {"head": {"distribution": name, "version": versions[name]}}
        return {}

    def folds(self, wanted: Sequence[str] | None, kind: Kind) -> list[int | str]:
        """Return the folds to use: the wanted ones, or all that have such a checkpoint.

        Raises:
            ModelError: a wanted fold has none, or no fold has one.
        """
        epochs = self.run.train.num_epochs
        there = sorted(
            folder.name.removeprefix("fold_")
            for folder in self.path.glob("fold_*")
            if FOLD.fullmatch(folder.name) and self.fold(folder.name).has(kind, epochs)
        )
        absent = [fold for fold in wanted or [] if fold not in there]
        if absent or not there:
            of_folds = f" of fold {', '.join(absent)}" if absent else ""
            others = f"; {shortened(self.other_folders())} is no fold" * bool(self.other_folders())
            raise ModelError(
                f"{self.path} has no {kind} checkpoint{of_folds}; folds with one: "
                f"{', '.join(there) or 'none'}{others}.",
                fix="finish the training with `vit_cli train … --continue`, or ask for "
                "--checkpoint best (or latest) or for other --folds, as in --folds 0 1.",
            )
        # a model of all cases is no member of a cross-validation: alone, or when it is asked for
        usual = [fold for fold in there if fold != "all"] or there
        used = dict.fromkeys(wanted or usual)  # a fold that is named twice counts once
        return [fold_of(fold) for fold in used]

    def other_folders(self) -> list[str]:
        """Return the names of folders that look like folds and are none: copies, backups."""
        names = (folder.name for folder in self.path.glob("fold_*") if folder.is_dir())
        return sorted(name for name in names if not FOLD.fullmatch(name))

    def fold(self, name: str) -> FoldFolder:
        """Return a fold's folder by its name, as fold_0."""
        return FoldFolder(self.path / name)


def open_model(path: Path) -> ModelFolder:
    """Return the model folder.

    Raises:
        ModelError: it is none, its JSON is damaged, or a newer version wrote it.
    """
    missing = [name for name in MODEL_FILES if not (path / name).is_file()]
    if missing:
        raise ModelError(
            f"{path} is no model folder: {', '.join(missing)} missing.",
            fix=_instead_of(path),
        )
    return ModelFolder(path, *read_model(path))


def _instead_of(path: Path) -> str:
    """Return what to give in place of what is no model folder."""
    if path.is_file() and path.suffix == ".json":
        return f"a file of `vit_cli best` is an ensemble: --ensemble {path}"
    if path.is_file() and path.suffix == ".zip":
        return f"`vit_cli install {path}` first; it prints the folder."
    if all((path.parent / name).is_file() for name in MODEL_FILES):
        return f"the model's folder is the one above: {path.parent}"
    return "give the folder that `vit_cli train` prints last, the one that holds fold_0."


def build_network(model: ModelFolder, base: Path | None = None) -> "ViTSegmentationNetwork":
    """Return the network of a model folder as its plans describe it.

    Raises:
        ModelError: what it was trained with is not installed here.
    """
    from nnunetv2.utilities.label_handling.label_handling import determine_num_input_channels
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

    from nnunet_vit.modeling.network import ViTSegmentationNetwork

    plans = PlansManager(model.plans)
    configuration = plans.get_configuration(model.run.data.configuration)
    arguments = _arguments(model, configuration.network_arch_init_kwargs)
    if base is not None:
        arguments["model"] = {**arguments["model"], "checkpoint_path": str(base.absolute())}
    channels = determine_num_input_channels(plans, configuration, model.description)
    classes = plans.get_label_manager(model.description).num_segmentation_heads
    try:
        return ViTSegmentationNetwork(channels, classes, **arguments)
    except UserError as error:
        raise ModelError(
            f"{model.path} cannot be rebuilt: {error.problem}", fix=_rebuilding(model) or error.fix
        ) from error


def _arguments(model: ModelFolder, given: Any) -> JsonObject:  # noqa: ANN401 - of a file
    """Return what the network is built with.

    Raises:
        ModelError: these are not the arguments of this version's network.
    """
    import inspect

    from nnunet_vit.modeling.network import ViTSegmentationNetwork

    try:
        inspect.signature(ViTSegmentationNetwork).bind(0, 0, **given)
        if isinstance(given["model"], dict):
            return dict(given)
        reason = "model is no object"
    except TypeError as error:
        reason = str(error)
    raise ModelError(
        f"{model.path / 'plans.json'}: arch_kwargs do not fit this version's network: {reason}.",
        fix="update nnunet-vit where a newer version wrote it; else copy the model folder again.",
    )


def _rebuilding(model: ModelFolder) -> str:
    """Return the commands that install its packages as they were, where that is not so here."""
    differing = (_installing(kind, **package) for kind, package in model.packages().items())
    return " ".join(command for command in differing if command)


def _installing(kind: str, distribution: str, version: str) -> str:
    from importlib import metadata

    from nnunet_vit.nnunet.plans import GROUPS
    from nnunet_vit.registry.catalogue import KINDS

    wanted = f"{distribution}=={version}"
    try:
        there = metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return f"pip install {wanted}, the package of its {KINDS[GROUPS[kind]]}."
    return "" if there == version else f"pip install {wanted}: {there} is installed."
