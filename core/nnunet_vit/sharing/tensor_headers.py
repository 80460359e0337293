"""What a safetensors file says of its tensors, read without them."""

import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO

from nnunet_vit.files.json_file import without_doubles

LONGEST_HEADER = 100_000_000  # bytes, as in safetensors itself
WIDTHS = {  # bytes of a value, by its type
    "F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1,
    "BOOL": 1,
}  # fmt: skip
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

    @property
    def bytes(self) -> int | None:
        """How long it is; None: a type that is not known."""
        width = WIDTHS.get(self.dtype)
        return None if width is None else math.prod(self.shape) * width

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
        header.pop(METADATA, None)
        facts = {name: _facts(about) for name, about in header.items()}
        places = [tuple(about["data_offsets"]) for about in header.values()]
    except (ValueError, RecursionError, AttributeError, LookupError, TypeError) as error:
        raise NoTensorsError("is no safetensors file: its header cannot be read") from error
    if not _fill(places, list(facts.values()), size - 8 - length):
        raise NoTensorsError("is no safetensors file: its tensors are not what its bytes hold")
    return facts


def _fill(places: list[tuple[int, ...]], facts: list[TensorFacts], size: int) -> bool:
    """Tell whether tensors lie one after the other, as long as they must be, and end with it."""
    lengths = [tensor.bytes for tensor in facts]
    for place, length in zip(places, lengths, strict=True):
        if len(place) != 2 or length is None or place[1] - place[0] != length:
            return False
    ordered = sorted(places)
    ends = [0, *(place[1] for place in ordered)]
    return [place[0] for place in ordered] == ends[:-1] and ends[-1] == size


def _facts(about: Mapping[str, object]) -> TensorFacts:
    dtype, shape = about["dtype"], about["shape"]
    if not isinstance(dtype, str) or not isinstance(shape, list):
        raise TypeError(dtype)
    return TensorFacts(dtype, tuple(int(edge) for edge in shape))
