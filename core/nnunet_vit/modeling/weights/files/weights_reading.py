"""Read weights from a file or a Hugging Face snapshot, without ever running code from them."""

from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file

from nnunet_vit.modeling.weights.files.formats import ARCHIVE, ARRAYS, SAFETENSORS, format_of
from nnunet_vit.modeling.weights.files.numpy_archives import load_arrays
from nnunet_vit.modeling.weights.files.pickled import load_pickled
from nnunet_vit.modeling.weights.files.snapshot import files_of_snapshot
from nnunet_vit.modeling.weights.files.unreadable import AGAIN_OR_GIVE, no_mapping, unreadable


def read_weights(path: Path) -> Mapping[object, object]:
    """Return what a .safetensors or .pth file or a snapshot folder holds: names to tensors.

    The format is told by the first bytes. A .pth may hold other mappings, numbers and texts
    beside and around the tensors, and placeholders of objects.

    Raises:
        ModelError: it is missing, damaged, of another kind, or holds Python objects.
    """
    content: dict[object, object] = {}
    for file in files_of_snapshot(path) if path.is_dir() else [path]:
        part = _read_file(file)
        if not isinstance(part, Mapping):
            raise no_mapping(file)
        content.update(part)
    return content


def _read_file(path: Path) -> object:
    try:
        kind = format_of(path)
        if kind == ARRAYS:
            return load_arrays(path)
        return load_file(path) if kind == SAFETENSORS else load_pickled(path, kind == ARCHIVE)
    except SafetensorError as error:
        detail = str(error).removeprefix("Error while deserializing header: ")
        reason = f"it is cut off, damaged or no safetensors file ({detail})"
        raise unreadable(path, reason, AGAIN_OR_GIVE) from error
    except OSError as error:
        raise unreadable(path, error.strerror or type(error).__name__) from error
