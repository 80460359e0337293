"""Read torch's pickled files with its restricted unpickler, and say what it refuses."""

import argparse
import pickle
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.serialization import get_unsafe_globals_in_checkpoint, safe_globals

from nnunet_vit.errors import ModelError, shortened
from nnunet_vit.modeling.weights.unreadable import unreadable

_SCALAR = np.float64(0).__reduce__()[0]
# What training scripts leave beside the weights: their arguments, and losses as numpy's numbers.
ALLOWED: list[Any] = [
    argparse.Namespace,
    np.dtype,
    _SCALAR,
    (_SCALAR, "numpy.core.multiarray.scalar"),  # its name before numpy 2
    *(type(np.dtype(name)) for name in ("float64", "float32", "int64", "int32", "bool")),
]


def load_pickled(path: Path) -> object:
    """Return what a .pth file holds: tensors, containers, plain values and the allowed few types.

    Raises:
        ModelError: it is no PyTorch file, or it holds other objects, which are named.
    """
    try:
        with safe_globals(ALLOWED), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about pickle's protocol
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise _refused(path, _foreign_objects(path, str(error))) from error
    except OSError:
        raise
    except Exception as error:  # damaged archives fail in many ways
        raise unreadable(path, _reason(error)) from error


def _foreign_objects(path: Path, complaint: str) -> list[str]:
    try:
        with safe_globals(ALLOWED):
            return sorted(get_unsafe_globals_in_checkpoint(path))
    except Exception:  # only archives can be listed; the complaint names one global of the others
        return re.findall(r"GLOBAL (\S+)", complaint)[:1]


def _refused(path: Path, objects: list[str]) -> ModelError:
    if not objects:
        return unreadable(path, "it is no PyTorch file, or damaged")
    return ModelError(
        f"{path} holds Python objects, which can run code: {shortened(objects)}. Nothing was "
        "loaded.",
        fix="where the file was made, save its tensors alone: "
        "safetensors.torch.save_file(model.state_dict(), 'weights.safetensors').",
    )


def _reason(error: Exception) -> str:
    text = (str(error).strip().splitlines() or [type(error).__name__])[0]
    if "data.pkl" in text or "subdirectory" in text:
        return "it is an archive of something else"
    if "PytorchStreamReader" in text or isinstance(error, EOFError):
        return "it is cut off or damaged"
    return text.rstrip(".")
