"""NumPy's archives of a ViT as JAX trained it (the augreg originals), as tensors by name."""

import zipfile
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from nnunet_vit.modeling.weights.unreadable import unreadable

STEM = "embedding.kernel"


def load_arrays(path: Path) -> dict[str, Tensor]:
    """Return a file's arrays, with dots in their names in place of slashes.

    Raises:
        ModelError: it is damaged, or holds no ViT of JAX.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            found = {name.replace("/", "."): arrays[name] for name in arrays.files}
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise unreadable(path, "it is cut off or damaged") from error
    if not any(f".{name}".endswith(f".{STEM}") for name in found):
        raise unreadable(path, "it is an archive of something else")
    return {name: torch.from_numpy(value) for name, value in found.items() if value.shape != (0,)}
