"""Read a file of weights as names and tensors, without ever running code from it."""

import pickle
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from nnunet_vit.errors import ModelError

WRAPPERS = ("state_dict", "model")


def read_weights(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a .safetensors file or of a .pth that holds nothing else.

    Raises:
        ModelError: the file is missing, damaged, of another kind, or holds Python objects.
    """
    try:
        content = _content(path)
    except Exception as error:  # each format has errors of its own; all mean the same to the user
        raise ModelError(
            f"{path} cannot be read as weights: {_reason(error)}.",
            fix="give a .safetensors file or a .pth that holds nothing but tensors.",
        ) from error
    for wrapper in WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(wrapper), Mapping):
            content = content[wrapper]
    if not isinstance(content, Mapping) or not all(isinstance(v, Tensor) for v in content.values()):
        raise ModelError(f"{path} holds no mapping of names to tensors.")
    return {str(name): tensor for name, tensor in content.items()}


def _content(path: Path) -> object:
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        return dict(load_file(path))
    return torch.load(path, map_location="cpu", weights_only=True)


def _reason(error: Exception) -> str:
    if isinstance(error, pickle.UnpicklingError):
        # torch would advise to switch its protection off
        return "it holds Python objects, or is no PyTorch file at all"
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].rstrip(".")
