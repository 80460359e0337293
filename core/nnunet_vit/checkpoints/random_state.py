"""The state of all random numbers as JSON has it, so that a resumed run draws the next ones."""

import base64
import contextlib
import random
from collections.abc import Iterator

import numpy as np
import torch

from nnunet_vit.files.json_file import JsonObject


def random_state() -> JsonObject:
    """Return the state of python's, numpy's and torch's generators, with those of all GPUs."""
    version, numbers, gauss = random.getstate()
    kind, keys, position, has_gauss, cached = np.random.get_state()
    gpus = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    return {
        "python": [version, list(numbers), gauss],
        "numpy": [str(kind), _text(np.asarray(keys, "<u4").tobytes()), position, has_gauss, cached],
        "torch": _of_tensor(torch.get_rng_state()),
        "cuda": [_of_tensor(state) for state in gpus],
    }


def restore_random_state(state: JsonObject) -> None:
    """Set all generators, so that the numbers that follow equal those of then, bit by bit.

    GPUs are taken by number; those that only one of the two machines has are left alone.
    """
    version, numbers, gauss = state["python"]
    random.setstate((version, tuple(numbers), gauss))
    kind, keys, position, has_gauss, cached = state["numpy"]
    words = np.frombuffer(base64.b64decode(keys), "<u4")
    np.random.set_state((kind, words, position, has_gauss, cached))
    torch.set_rng_state(_to_tensor(state["torch"]))
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    for number, of_gpu in enumerate(state["cuda"][:gpus]):
        torch.cuda.set_rng_state(_to_tensor(of_gpu), number)


@contextlib.contextmanager
def random_numbers_kept() -> Iterator[None]:
    """Let what happens inside change none of the numbers that are drawn after it."""
    before = random_state()
    try:
        yield
    finally:
        restore_random_state(before)


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _of_tensor(state: torch.Tensor) -> str:
    return _text(state.numpy().tobytes())


def _to_tensor(text: str) -> torch.Tensor:
    return torch.frombuffer(bytearray(base64.b64decode(text)), dtype=torch.uint8)
