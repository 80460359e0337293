"""Values as plain types: what JSON holds, and what torch reads without running code."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

PLAIN = (str, int, float, bool, type(None))


def plain(value: object, where: str = "") -> Any:  # noqa: ANN401 - of the value's kind
    """Return a value with numpy's numbers and arrays as Python's, all the way down.

    Tensors and torch devices are kept: whole models hold them, JSON refuses them itself.

    Raises:
        TypeError: something inside is of another kind; the text says where.
    """
    if isinstance(value, np.generic | np.ndarray):
        return plain(value.tolist(), where)
    if type(value) in PLAIN or isinstance(value, torch.device):
        return value
    if isinstance(value, torch.Tensor):
        return value.detach()
    if isinstance(value, Mapping):
        return {_key(key, where): plain(inner, f"{where}.{key}") for key, inner in value.items()}
    if isinstance(value, list | tuple):
        items = [plain(inner, f"{where}.{number}") for number, inner in enumerate(value)]
        return tuple(items) if isinstance(value, tuple) else items
    raise TypeError(f"{where.removeprefix('.') or 'value'}: {type(value).__name__} is not plain")


def _key(key: object, where: str) -> str | int:
    if isinstance(key, np.integer):
        return int(key)
    if type(key) is str or type(key) is int:
        return key
    raise TypeError(f"{where.removeprefix('.') or 'value'}: {type(key).__name__} is no plain key")
