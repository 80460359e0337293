"""One checkpoint on disk: a folder of safetensors and JSON with a manifest of their hashes."""

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from nnunet_vit.checkpoints.plain import plain
from nnunet_vit.checkpoints.pointers import MANIFEST, STATE
from nnunet_vit.errors import ModelError
from nnunet_vit.files.digests import sha256
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.files.writing import sync_file, sync_folder

WEIGHTS, OPTIMIZER = "weights.safetensors", "optim.safetensors"
CONTENT = (WEIGHTS, OPTIMIZER, STATE)
SCHEMA = 1


@dataclass(frozen=True)
class Checkpoint:
    """The state of a training between two epochs.

    Attributes:
        epoch: number of epochs done.
        weights: the network's stored tensors by name.
        optimizer: the optimizer's tensors.
        state: everything else, as JSON has it; tuples come back as lists.
    """

    epoch: int
    weights: dict[str, Tensor]
    optimizer: dict[str, Tensor]
    state: JsonObject


class DamagedCheckpointError(ModelError):
    """A checkpoint is not as it was saved; an older one may be."""


def write_checkpoint(directory: Path, checkpoint: Checkpoint) -> str:
    """Write a checkpoint into an empty folder, the manifest last; return the manifest's sha256.

    Raises:
        OSError, SafetensorError: the disk refuses.
    """
    write_tensors(directory / WEIGHTS, checkpoint.weights)
    write_tensors(directory / OPTIMIZER, checkpoint.optimizer)
    state = {"schema": SCHEMA, "epoch": checkpoint.epoch, "state": plain(checkpoint.state)}
    (directory / STATE).write_text(json.dumps(state), encoding="utf-8")
    for name in CONTENT:
        sync_file(directory / name)
    files = {
        name: {"bytes": (directory / name).stat().st_size, "sha256": sha256(directory / name)}
        for name in CONTENT
    }
    manifest = json.dumps({"schema": SCHEMA, "files": files}, indent=1)
    (directory / MANIFEST).write_text(manifest, encoding="utf-8")
    sync_file(directory / MANIFEST)
    sync_folder(directory)
    return sha256(directory / MANIFEST)


def read_checkpoint(
    directory: Path, device: torch.device | str = "cpu", weights_alone: bool = False
) -> Checkpoint:
    """Return a checkpoint whose files are those of its manifest; nothing is parsed before.

    Args:
        directory: of the checkpoint; files that are not part of one are ignored.
        device: where the weights go; the optimizer's tensors stay on the CPU.
        weights_alone: leave the optimizer's file alone, which only a training needs: it may be
            missing.

    Raises:
        DamagedCheckpointError: a file is missing or not as it was saved.
        ModelError: a newer version of this package has written it.
    """
    if not directory.is_dir():
        raise DamagedCheckpointError("the folder is missing")
    listed = _listed_files(directory)
    for name in CONTENT:
        if not (weights_alone and name == OPTIMIZER):
            _check_file(directory / name, listed[name])
    state = _json_object(directory / STATE)
    _refuse_newer(directory, state)
    epoch, content = state.get("epoch"), state.get("state")
    if type(epoch) is not int or not isinstance(content, dict):
        raise DamagedCheckpointError(f"{STATE} is not that of a checkpoint")
    return Checkpoint(
        epoch,
        read_tensors(directory / WEIGHTS, device),
        {} if weights_alone else read_tensors(directory / OPTIMIZER, "cpu"),
        content,
    )


def write_tensors(path: Path, tensors: dict[str, Tensor]) -> None:
    """Write tensors by their names as a safetensors file; equal ones are equal bytes.

    Raises:
        OSError, SafetensorError: the disk refuses.
    """
    written: dict[str, Tensor] = {}
    storages: set[int] = set()
    for name, tensor in tensors.items():
        own = tensor.detach().cpu().contiguous()
        place = own.untyped_storage().data_ptr()
        # tied weights share a storage, which the format does not know
        written[name] = own.clone() if place in storages else own
        storages.add(place)
    save_file(written, path, metadata={"format": "pt"})
    # safetensors lets nobody but the owner read; a folder's mode follows the user's own settings
    path.chmod(path.parent.stat().st_mode & 0o666)


def read_tensors(path: Path, device: torch.device | str) -> dict[str, Tensor]:
    """Return the tensors of a safetensors file.

    Raises:
        DamagedCheckpointError: it is none, or damaged.
    """
    try:
        return dict(load_file(path, device=str(device)))
    except (SafetensorError, OSError, ValueError) as error:
        raise DamagedCheckpointError(
            f"{path.name} is no safetensors file: {str(error).rstrip('.')}"
        ) from error


def _listed_files(directory: Path) -> dict[str, JsonObject]:
    manifest = _json_object(directory / MANIFEST)
    _refuse_newer(directory, manifest)
    listed = manifest.get("files")
    if not isinstance(listed, dict) or not all(isinstance(listed.get(n), dict) for n in CONTENT):
        raise DamagedCheckpointError(f"{MANIFEST} does not list {', '.join(CONTENT)}")
    return listed


def _check_file(path: Path, listed: JsonObject) -> None:
    try:
        size, digest = path.stat().st_size, sha256(path)
    except OSError as error:
        raise _unreadable(path, error) from error
    if size != listed.get("bytes"):
        raise DamagedCheckpointError(f"{path.name} has {size} bytes, not {listed.get('bytes')}")
    if digest != listed.get("sha256"):
        raise DamagedCheckpointError(f"{path.name} has changed since it was saved")


def _json_object(path: Path) -> JsonObject:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _unreadable(path, error) from error
    except (ValueError, RecursionError) as error:
        raise DamagedCheckpointError(f"{path.name} is no JSON") from error
    if not isinstance(content, dict):
        raise DamagedCheckpointError(f"{path.name} holds no JSON object")
    return content


def _refuse_newer(directory: Path, content: JsonObject) -> None:
    schema = content.get("schema")
    if type(schema) is not int or schema < 1:
        raise DamagedCheckpointError(f"its schema is {schema!r}")
    if schema > SCHEMA:
        raise ModelError(
            f"{directory} has schema {schema}; this version of nnunet-vit reads up to {SCHEMA}.",
            fix="update nnunet-vit to the version that wrote it.",
        )


def _unreadable(path: Path, error: OSError) -> DamagedCheckpointError:
    if isinstance(error, FileNotFoundError):
        return DamagedCheckpointError(f"{path.name} is missing")
    return DamagedCheckpointError(f"{path.name} cannot be read: {error.strerror or error}")
