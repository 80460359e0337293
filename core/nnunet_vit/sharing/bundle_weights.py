"""The weights of a bundle as nnU-Net's checkpoints."""

from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit.checkpoints.directory import read_tensors
from nnunet_vit.errors import ModelError
from nnunet_vit.inference.fold_weights import on_base
from nnunet_vit.inference.model_folder import ModelFolder
from nnunet_vit.sharing.bundle_format import SHARED, TRAINED, weights_name
from nnunet_vit.sharing.bundle_zip import BundleZip
from nnunet_vit.sharing.nnunet_folder import write_fold

if TYPE_CHECKING:
    from torch import Tensor

PART = "part.safetensors"


def write_folds(bundle: BundleZip, model: ModelFolder, folder: Path, *, base: Path | None) -> None:
    """Write each fold's weights into a model folder; adapters are merged.

    Args:
        bundle: that holds them.
        model: its plans and dataset.json.
        folder: that is not in its place yet.
        base: the pretrained weights, for a bundle of what was trained alone.

    Raises:
        ModelError: a file of weights is damaged, or the pretrained weights are missing or others.
        MachineError: the disk is full or not writable.
    """
    shared = _tensors(bundle, SHARED, folder) if SHARED in bundle.manifest.files else {}
    for fold, facts in bundle.manifest.folds.items():
        weights = {**shared, **_tensors(bundle, weights_name(fold), folder)}
        if bundle.manifest.weights == TRAINED:
            weights = _on_base(bundle, model, weights, base=base)
        write_fold(folder, fold, weights, facts=facts, plans=model.plans)


def require_pretrained(bundle: BundleZip, base: Path | None) -> None:
    """Refuse a bundle of what was trained alone where its pretrained weights are not given.

    Published weights are fetched where they are not here.

    Raises:
        ModelError: names the file by name, size and sha256.
    """
    file = (bundle.manifest.pretrained or {}).get("file")
    if bundle.manifest.weights != TRAINED or (base is None and not file):
        return
    if base is None or not base.exists():
        given = "" if base is None else f" {base} is not there."
        known = f"{file['name']}, {file['bytes']:,} bytes, sha256 {file['sha256']}" if file else ""
        raise ModelError(
            f"{bundle.path} holds what was trained, without the pretrained weights"
            f"{f' ({known})' if known else ''}.{given}",
            fix="--pretrained-weights FILE, the weights file that its training was started from.",
        )


def _tensors(bundle: BundleZip, name: str, folder: Path) -> "dict[str, Tensor]":
    """Return the tensors of a file of the bundle, which is on the disk meanwhile."""
    part = folder / PART
    try:
        bundle.extract(name, part)
        return {key: value.clone() for key, value in read_tensors(part, "cpu").items()}
    except ModelError as error:
        raise ModelError(f"{bundle.path}: {name}: {error}") from error
    finally:
        part.unlink(missing_ok=True)


def _on_base(
    bundle: BundleZip,
    model: ModelFolder,
    weights: "dict[str, Tensor]",
    *,
    base: Path | None,
) -> "dict[str, Tensor]":
    from nnunet_vit.checkpoints.store import Checkpoint

    pretrained = bundle.manifest.pretrained or {}
    checkpoint = Checkpoint(0, weights, {}, {"base": pretrained})
    return on_base(model, checkpoint, base)
