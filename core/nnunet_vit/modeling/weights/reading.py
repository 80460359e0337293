"""Read weights from a file or a Hugging Face snapshot, without ever running code from them."""

import re
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file

from nnunet_vit.errors import ModelError
from nnunet_vit.modeling.weights.pickled import load_pickled
from nnunet_vit.modeling.weights.snapshot import files_of_snapshot
from nnunet_vit.modeling.weights.unreadable import unreadable

WEB_PAGE = re.compile(rb"\s*<(!doctype|html|head|\?xml)", re.IGNORECASE)
GIT_LFS = b"oid sha256:"
HEAD = 512  # bytes that tell a web page or a pointer file


def read_weights(path: Path) -> Mapping[object, object]:
    """Return what a .safetensors or .pth file or a snapshot folder holds: names to tensors.

    A .pth may hold other mappings, numbers and texts beside and around the tensors.

    Raises:
        ModelError: it is missing, damaged, of another kind, or holds Python objects.
    """
    content: dict[object, object] = {}
    for file in files_of_snapshot(path) if path.is_dir() else [path]:
        part = _read_file(file)
        if not isinstance(part, Mapping):
            raise ModelError(f"{file} holds no mapping of names to tensors.")
        content.update(part)
    return content


def _read_file(path: Path) -> object:
    try:
        _refuse_the_obvious(path)
        return load_file(path) if path.suffix == ".safetensors" else load_pickled(path)
    except SafetensorError as error:
        detail = str(error).removeprefix("Error while deserializing header: ")
        reason = f"it is cut off, damaged or no safetensors file ({detail})"
        raise unreadable(path, reason) from error
    except OSError as error:
        raise unreadable(path, error.strerror or type(error).__name__) from error


def _refuse_the_obvious(path: Path) -> None:
    with path.open("rb") as file:
        head = file.read(HEAD)
    if not head:
        raise unreadable(path, "it is empty")
    if WEB_PAGE.match(head):
        raise unreadable(path, "it is a web page, saved in place of the file")
    if GIT_LFS in head:
        raise unreadable(path, "it is a Git LFS pointer, not the file itself (git lfs pull)")
