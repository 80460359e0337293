"""What a safetensors file says of its tensors, read without them."""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO

from nnunet_vit.files.json_file import without_doubles

LONGEST_HEADER = 100_000_000  # bytes, as in safetensors itself
METADATA = "__metadata__"


class NoTensorsError(Exception):
    """Bytes are no safetensors file; the text says why."""


@dataclass(frozen=True)
class TensorFacts:
    """A tensor without its values.

    Attributes:
        dtype: as safetensors writes it: F32, BF16, I64.
        shape: of the tensor.
    """

    dtype: str
    shape: tuple[int, ...]

    def __str__(self) -> str:
        """Return it for a message."""
        return f"{self.dtype} {list(self.shape)}"


def tensor_facts(file: IO[bytes], size: int) -> dict[str, TensorFacts]:
    """Return type and shape of each tensor of a safetensors file, by name.

    Args:
        file: at its start.
        size: bytes of it.

    Raises:
        NoTensorsError: it is no such file.
    """
    first = file.read(8)
    length = struct.unpack("<Q", first)[0] if len(first) == 8 else 0
    if not 2 <= length <= min(LONGEST_HEADER, size - 8):
        raise NoTensorsError("is no safetensors file")
    try:
        header = json.loads(file.read(length), object_pairs_hook=without_doubles)
        return {name: _facts(about) for name, about in header.items() if name != METADATA}
    except (ValueError, RecursionError, AttributeError, LookupError, TypeError) as error:
        raise NoTensorsError("is no safetensors file: its header cannot be read") from error


def _facts(about: Mapping[str, object]) -> TensorFacts:
    dtype, shape = about["dtype"], about["shape"]
    if not isinstance(dtype, str) or not isinstance(shape, list):
        raise TypeError(dtype)
    return TensorFacts(dtype, tuple(int(edge) for edge in shape))
