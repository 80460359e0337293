"""What a model folder holds that prediction needs: its folds' weights, each tensor once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit.checkpoints.fold_folder import Kind
from nnunet_vit.errors import ModelError
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.inference.fold_weights import FoldWeights, read_fold
from nnunet_vit.inference.model_folder import ModelFolder

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class ModelContent:
    """Weights of a model that are ready to be written.

    Attributes:
        model: the folder that they are from.
        kind: of the checkpoints.
        folds: weights by the fold's number, or `all`.
        pretrained: of which weights were left out, where only what was trained is here; else None.
    """

    model: ModelFolder
    kind: Kind
    folds: dict[str, FoldWeights]
    pretrained: JsonObject | None = None

    def shared(self) -> set[str]:
        """Return the names of the tensors that are alike in all folds, where there are several."""
        first, *others = (fold.weights for fold in self.folds.values())
        if not others:
            return set()
        return {
            name
            for name, value in first.items()
            if all(_alike(value, other.get(name)) for other in others)
        }


def whole_content(
    model: ModelFolder, folds: Sequence[str] | None, kind: Kind, *, base: Path | None
) -> ModelContent:
    """Return a model's folds with merged adapters and the backbone inside.

    Args:
        model: the folder.
        folds: which; None: all that have such a checkpoint.
        kind: of the checkpoint.
        base: the pretrained weights, where a small checkpoint needs them and they have moved.

    Raises:
        ModelError: a fold has no such checkpoint, or it is damaged.
    """
    content: dict[str, FoldWeights] = {}
    for fold in model.folds(folds, kind):
        read = read_fold(model, fold, kind, base=base)
        first = next(iter(content.values()), read).weights
        # what folds share is in memory once
        weights = {
            name: first[name] if _alike(value, first.get(name)) else value
            for name, value in read.weights.items()
        }
        content[str(fold)] = replace(read, weights=weights)
    return ModelContent(model, kind, content)


def trained_content(model: ModelFolder, folds: Sequence[str] | None, kind: Kind) -> ModelContent:
    """Return of a model's folds what was trained, without the pretrained weights.

    Raises:
        ModelError: a fold has no such checkpoint, or nothing can be left out of it.
    """
    content, bases = {}, {}
    for fold in model.folds(folds, kind):
        name = str(fold)
        content[name], bases[name] = _trained_fold(model, name, kind)
    digests = {base["digest"] for base in bases.values()}
    if len(digests) > 1:
        raise ModelError(
            f"{model.path}: the folds were started from different pretrained weights.",
            fix="export without --adapters-only, or fewer --folds.",
        )
    return ModelContent(model, kind, content, next(iter(bases.values())))


def _trained_fold(model: ModelFolder, fold: str, kind: Kind) -> tuple[FoldWeights, JsonObject]:
    folder = model.fold(f"fold_{fold}")
    checkpoint = folder.checkpoint(kind) if folder.saved_epoch() is not None else None
    if checkpoint is None:
        raise ModelError(
            f"{folder.path} has no small checkpoint, only the whole model, in which adapters are "
            "merged.",
            fix="export without --adapters-only.",
        )
    base = checkpoint.state["base"]
    if not base["digest"]:
        raise ModelError(
            f"{folder.path}: nothing can be left out: all of the backbone was trained, or no file "
            "brought its weights.",
            fix="export without --adapters-only.",
        )
    axes = checkpoint.state["mirroring_axes"]
    mirrored = None if axes is None else tuple(axes)
    weights = FoldWeights(checkpoint.weights, mirrored, epochs=checkpoint.epoch)
    return weights, {key: base[key] for key in ("digest", "file", "published", "timm_name")}


def _alike(value: "Tensor", other: "Tensor | None") -> bool:
    """Tell whether two tensors are alike to the bit: 0 and -0 are equal and differ."""
    import torch

    if other is value:
        return True
    if other is None or (value.dtype, value.shape) != (other.dtype, other.shape):
        return False
    one, two = (tensor.cpu().reshape(-1).view(torch.uint8) for tensor in (value, other))
    return torch.equal(one, two)
