"""A trained model's folder: which folds it has, and the networks in them, read without pickle."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.errors import ConfigError, ModelError, UserError, did_you_mean
from nnunet_vit.nnunet.model_files import MODEL_FILES, check_run, read_part

if TYPE_CHECKING:
    from torch import Tensor

    from nnunet_vit.checkpoints.store import Checkpoint
    from nnunet_vit.modeling.network import ViTSegmentationNetwork

Kind = Literal["final", "best", "latest"]
KINDS: tuple[Kind, ...] = ("final", "best", "latest")


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
        f"--checkpoint {word} is unknown.{did_you_mean(name, KINDS)} Allowed: {', '.join(KINDS)}."
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
    plans: dict[str, Any]
    description: dict[str, Any]

    @property
    def configuration(self) -> dict[str, Any]:
        """The plans of the configuration that was trained."""
        return dict(self.plans["configurations"][self.run.data.configuration])

    @property
    def run(self) -> ViTnnUNetConfig:
        """The run that was trained."""
        from nnunet_vit.nnunet.plans import run_of_plans

        return run_of_plans(self.plans)

    def folds(self, wanted: Sequence[str] | None, kind: Kind) -> list[int | str]:
        """Return the folds to use: the wanted ones, or all that have such a checkpoint.

        Raises:
            ModelError: a wanted fold has none, or no fold has one.
        """
        there = sorted(
            folder.name.removeprefix("fold_")
            for folder in self.path.glob("fold_*")
            if self._has(folder, kind)
        )
        absent = [fold for fold in wanted or [] if fold not in there]
        if absent or not there:
            of_folds = f" of fold {', '.join(absent)}" if absent else ""
            raise ModelError(
                f"{self.path} has no {kind} checkpoint{of_folds}; folds with one: "
                f"{', '.join(there) or 'none'}.",
                fix="finish the training with `vit_cli train … --continue`, or predict with "
                "--checkpoint best (or latest) or other --folds, as in --folds 0 1.",
            )
        # a model of all cases is no member of a cross-validation: alone, or when it is asked for
        usual = [fold for fold in there if fold != "all"] or there
        return [int(fold) if fold.isdecimal() else fold for fold in wanted or usual]

    def _has(self, folder: Path, kind: Kind) -> bool:
        from nnunet_vit.checkpoints.store import CheckpointStore
        from nnunet_vit.checkpoints.whole import FINAL

        store = CheckpointStore(folder)
        if kind == "best":
            return store.has_best()
        epoch = store.epoch_of_latest()
        if kind == "latest":
            return epoch is not None
        return (folder / FINAL).is_file() or epoch == self.run.train.num_epochs


@dataclass(frozen=True)
class FoldWeights:
    """A fold's network with plain names: adapters are merged.

    Attributes:
        weights: as `ViTSegmentationNetwork.load_state_dict` takes them.
        mirroring_axes: over which prediction may average.
        notices: one sentence for each damaged checkpoint that an older one stands in for.
    """

    weights: "dict[str, Tensor]"
    mirroring_axes: tuple[int, ...] | None
    notices: tuple[str, ...] = ()


def open_model(path: Path) -> ModelFolder:
    """Return the model folder.

    Raises:
        ModelError: it is none, its JSON is damaged, or a newer version wrote it.
    """
    missing = [name for name in MODEL_FILES if not (path / name).is_file()]
    if missing:
        raise ModelError(
            f"{path} is no model folder: {', '.join(missing)} missing.",
            fix="give the folder that `vit_cli train` prints last, the one that holds fold_0.",
        )
    plans, description = (read_part(path / name) for name in MODEL_FILES)
    check_run(path / "plans.json", plans)
    return ModelFolder(path, plans, description)


def read_fold(model: ModelFolder, fold: int | str, kind: Kind, base: Path | None) -> FoldWeights:
    """Return a fold's weights: of the whole model, or of a small checkpoint on its base.

    Args:
        model: the folder.
        fold: one that has such a checkpoint.
        kind: final, best or latest.
        base: the pretrained weights, where they no longer lie where the run file said.

    Raises:
        ModelError: damaged, or the pretrained weights are missing or others.
    """
    from nnunet_vit.checkpoints.store import CheckpointStore
    from nnunet_vit.checkpoints.whole import FINAL, read_whole

    folder = model.path / f"fold_{fold}"
    if kind == "final" and (folder / FINAL).is_file():
        content = read_whole(folder / FINAL)
        axes = content.get("inference_allowed_mirroring_axes")
        return FoldWeights(content["network_weights"], None if axes is None else tuple(axes))
    store = CheckpointStore(folder)
    checkpoint = (
        store.best(weights_alone=True) if kind == "best" else store.latest(weights_alone=True)
    )
    assert checkpoint is not None  # folds() has looked
    axes = checkpoint.state["mirroring_axes"]
    weights = _on_base(model, checkpoint, base)
    return FoldWeights(weights, None if axes is None else tuple(axes), tuple(store.notices))


def _on_base(
    model: ModelFolder, checkpoint: "Checkpoint", base: Path | None
) -> "dict[str, Tensor]":
    from nnunet_vit.checkpoints.base import load_stored
    from nnunet_vit.modeling.backbone import vits_of
    from nnunet_vit.modeling.network import first_build
    from nnunet_vit.tuning.adapters.merge import merged_state

    digest = checkpoint.state["base"]["digest"]
    if not digest:
        network = build_network(model)
    else:
        _require_base(model, base)
        with first_build():
            network = build_network(model, base)
    load_stored(network, checkpoint.weights, digest, vits_of(network))
    return merged_state(network)


def _require_base(model: ModelFolder, base: Path | None) -> None:
    path = base or Path(model.run.model.checkpoint_path)  # '' is a folder that exists: published
    if not path.exists():
        raise ModelError(
            f"The checkpoint holds what was trained; its pretrained weights, {path}, are not "
            "there.",
            fix="--base FILE, the weights file that the run was started from.",
        )


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
    arguments = dict(configuration.network_arch_init_kwargs)
    if base is not None:
        arguments["model"] = {**arguments["model"], "checkpoint_path": str(base.absolute())}
    channels = determine_num_input_channels(plans, configuration, model.description)
    classes = plans.get_label_manager(model.description).num_segmentation_heads
    try:
        return ViTSegmentationNetwork(channels, classes, **arguments)
    except UserError as error:
        raise ModelError(
            f"{model.path} cannot be rebuilt: {error.problem}",
            fix=error.fix
            or "install the packages that it was trained with; run.yaml in its folds names them.",
        ) from error
