"""The network of a fold of a trained model: its weights, read without pickle."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit.checkpoints.fold_folder import Kind
from nnunet_vit.errors import ModelError
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.inference.model_folder import ModelFolder, build_network

if TYPE_CHECKING:
    from torch import Tensor

    from nnunet_vit.checkpoints.store import Checkpoint


@dataclass(frozen=True)
class FoldWeights:
    """A fold's network with plain names: adapters are merged.

    Attributes:
        weights: as `ViTSegmentationNetwork.load_state_dict` takes them.
        mirroring_axes: over which prediction may average.
        notices: one sentence for each damaged checkpoint that an older one stands in for.
        epochs: that it was trained; None: the file does not say.
    """

    weights: "dict[str, Tensor]"
    mirroring_axes: tuple[int, ...] | None
    notices: tuple[str, ...] = ()
    epochs: int | None = None


def read_fold(model: ModelFolder, fold: int | str, kind: Kind, *, base: Path | None) -> FoldWeights:
    """Return a fold's weights: of the whole model, or of a small checkpoint on its base.

    Args:
        model: the folder.
        fold: one that has such a checkpoint.
        kind: final, best or latest.
        base: the pretrained weights, where they no longer lie where the run file said.

    Raises:
        ModelError: damaged, even if an older one could stand in for the final one; or the
            pretrained weights are missing or others.
    """
    from nnunet_vit.checkpoints.full_model import read_full_model

    folder = model.fold(f"fold_{fold}")
    if kind == "final" and folder.whole.is_file():
        return _of_whole(folder.whole, read_full_model(folder.whole))
    checkpoint = folder.checkpoint(kind)
    assert checkpoint is not None  # folds() has looked
    axes = checkpoint.state["mirroring_axes"]
    weights = on_base(model, checkpoint, base)
    mirrored = None if axes is None else tuple(axes)
    return FoldWeights(weights, mirrored, tuple(folder.store.notices), checkpoint.epoch)


def _of_whole(file: Path, content: JsonObject) -> FoldWeights:
    """Return the weights of nnU-Net's checkpoint.

    Raises:
        ModelError: it is a torch file, and no such checkpoint.
    """
    weights, axes = content.get("network_weights"), content.get("inference_allowed_mirroring_axes")
    lacking = "network_weights" if not isinstance(weights, dict) else ""
    flat = isinstance(axes, list | tuple) and all(axis in (0, 1) for axis in axes)
    if axes is not None and not flat:
        lacking = "inference_allowed_mirroring_axes with axes 0 and 1 of an image"
    if lacking:
        raise ModelError(
            f"{file} is no checkpoint of nnU-Net's: it lacks {lacking}.",
            fix="copy it again, or train it again.",
        )
    assert isinstance(weights, dict)
    epochs = content.get("current_epoch")
    mirrored = None if axes is None else tuple(axes)
    return FoldWeights(weights, mirrored, epochs=epochs if type(epochs) is int else None)


def on_base(model: ModelFolder, checkpoint: "Checkpoint", base: Path | None) -> "dict[str, Tensor]":
    """Return the weights of a small checkpoint together with those that it was trained on.

    Args:
        model: the folder.
        checkpoint: of one of its folds.
        base: the pretrained weights, where they no longer lie where the run file said.

    Raises:
        ModelError: the pretrained weights are missing or others.
    """
    from nnunet_vit.checkpoints.base import load_stored
    from nnunet_vit.modeling.backbone import vits_of
    from nnunet_vit.modeling.hub.published import pinned_weights
    from nnunet_vit.modeling.network import first_build
    from nnunet_vit.tuning.adapters.merge import merged_state

    digest = checkpoint.state["base"]["digest"]
    if not digest:
        network = build_network(model)
    else:
        _require_base(model, base)
        with pinned_weights(checkpoint.state["base"].get("published") or []), first_build():
            network = build_network(model, base)
    load_stored(network, checkpoint.weights, digest, backbones=vits_of(network))
    return merged_state(network)


def _require_base(model: ModelFolder, base: Path | None) -> None:
    path = base or Path(model.run.model.checkpoint_path)  # '' is a folder that exists: published
    if not path.exists():
        raise ModelError(
            f"The checkpoint holds what was trained; its pretrained weights, {path}, are not "
            "there.",
            fix="--pretrained-weights FILE, the weights file that the run was started from.",
        )
