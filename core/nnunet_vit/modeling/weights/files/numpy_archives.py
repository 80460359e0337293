"""NumPy's archives of a ViT as JAX trained it (the augreg originals), as tensors by name."""

import math
import zipfile
import zlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from nnunet_vit.modeling.weights.files.unreadable import AGAIN, unreadable

STEM = "embedding.kernel"


NUMBERS = "biufc"  # kinds of NumPy
BFLOAT16 = np.dtype("V2")  # as JAX's bfloat16 reads where its package is not there
DAMAGED = (
    ValueError,
    EOFError,
    KeyError,
    MemoryError,
    NotImplementedError,
    zipfile.BadZipFile,
    zlib.error,
)
ENCRYPTED = 1


def load_arrays(path: Path) -> dict[str, Tensor]:
    """Return a file's arrays of numbers, with dots in their names in place of slashes.

    Raises:
        ModelError: it is damaged or encrypted, or holds no ViT of JAX.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if any(one.flag_bits & ENCRYPTED for one in archive.infolist()):
                raise unreadable(path, "it is encrypted")
            plain = _without_objects(archive)
        with np.load(path, allow_pickle=False) as arrays:
            found = {name.replace("/", "."): arrays[name] for name in plain}
    except DAMAGED as error:
        raise unreadable(path, "it is cut off or damaged", AGAIN) from error
    if not any(f".{name}".endswith(f".{STEM}") for name in found):
        raise unreadable(path, "it is an archive of something else")
    return {
        name: _tensor(value)
        for name, value in found.items()
        if value.shape != (0,) and (value.dtype.kind in NUMBERS or value.dtype == BFLOAT16)
    }


def _without_objects(archive: zipfile.ZipFile) -> list[str]:
    """Return the names of arrays that hold no pickled objects, by their headers.

    Raises:
        ValueError: a header says more than there is: no room is made for it.
    """
    names = []
    for member in archive.infolist():
        with archive.open(member) as file:
            version = np.lib.format.read_magic(file)
            read = (
                np.lib.format.read_array_header_1_0
                if version == (1, 0)
                else np.lib.format.read_array_header_2_0
            )
            shape, _, dtype = read(file)
        if dtype.hasobject:  # pickled, however long
            continue
        if math.prod(shape) * dtype.itemsize > member.file_size:
            raise ValueError("an array is cut off")
        names.append(member.filename.removesuffix(".npy"))
    return names


def _tensor(value: np.ndarray) -> Tensor:
    if value.dtype == BFLOAT16:
        return torch.from_numpy(value.view(np.uint16).copy()).view(torch.bfloat16)
    return torch.from_numpy(value.astype(value.dtype.newbyteorder("="), copy=False))
