"""Whole models as torch files of plain types, which stock nnU-Net reads."""

import contextlib
import pickle
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import torch
from torch import Tensor

from nnunet_vit.checkpoints.disk import writing
from nnunet_vit.checkpoints.plain import plain
from nnunet_vit.errors import ModelError, first_line
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.files.writing import remove_unfinished, replacing

PLANNED = "planned_epochs"  # beside nnU-Net's keys: more than its epochs where it ended early
__all__ = ["plain", "read_full_model", "write_full_model"]


def write_full_model(path: Path, content: JsonObject) -> None:
    """Write a model as one file, whole or not at all; it loads with weights_only=True.

    Raises:
        MachineError: the disk is full or not writable; an older file stays.
        TypeError: the content holds something that is no tensor and no plain type.
    """
    readable = plain(content)

    def write(file: BinaryIO) -> None:
        try:
            torch.save(readable, file)
        except RuntimeError as error:
            # torch hides the disk's own error behind one about its file format
            if isinstance(error.__context__, OSError):
                raise error.__context__ from None
            raise

    with writing(path, _bytes(readable)):
        remove_unfinished(path)
        with replacing(path) as unfinished, unfinished.open("wb") as file:
            write(file)


def read_full_model(path: Path, *, of_nnunet: bool = False) -> JsonObject:
    """Return the content of a whole model on the CPU; no code in it is ever run.

    Args:
        path: the file.
        of_nnunet: nnU-Net's own trainer wrote it: numpy's numbers may be in it.

    Raises:
        ModelError: the file is missing, damaged, foreign, or holds Python objects.
    """
    try:
        with zipfile.ZipFile(path) as parts:
            damaged = parts.testzip()  # torch itself skips the checksums
        with numpy_numbers() if of_nnunet else contextlib.nullcontext():
            content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # each way to be damaged has an error of its own
        raise _unreadable(path, _reason(error)) from error
    if damaged is not None:
        raise _unreadable(path, f"its part {damaged} has changed since it was saved")
    if not isinstance(content, dict):
        raise _unreadable(path, f"it holds {type(content).__name__}, not a model")
    return content


@contextlib.contextmanager
def numpy_numbers() -> Iterator[None]:
    """Let torch read numbers of numpy too, which nnU-Net's checkpoints hold in their log."""
    with torch.serialization.safe_globals(list(_types_of_numpy())):
        yield


def _types_of_numpy() -> Iterator[Callable[..., object]]:
    import numpy as np

    rebuild = np.float64(0).__reduce__()[0]
    assert callable(rebuild)
    yield from (rebuild, np.dtype)
    for kind in ("float64", "float32", "int64", "bool"):
        yield type(np.dtype(kind))


def planned_epochs_of(path: Path) -> int | None:
    """Return the length that a whole model's training was planned for; None: it does not say.

    No tensor is read.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        return int(content.get(PLANNED, content["current_epoch"]))
    except Exception:  # whoever reads all of it says what is wrong
        return None


def _unreadable(path: Path, reason: str) -> ModelError:
    return ModelError(
        f"{path} cannot be read as a model: {reason}.",
        fix="give a model that nnunet-vit has written, or an intact copy of the file.",
    )


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, pickle.UnpicklingError):  # torch would advise to switch its protection off
        return "this file holds Python objects; none of them was run"
    if isinstance(error, zipfile.BadZipFile):
        return "it is damaged, or no torch file"
    return first_line(error)


def _bytes(value: object) -> int:
    if isinstance(value, Tensor):
        return value.nbytes
    if isinstance(value, dict):
        return sum(map(_bytes, value.values()))
    return sum(map(_bytes, value)) if isinstance(value, list | tuple) else 0
