"""Objects of a pickled file rebuilt from their parts: tensors, containers, and placeholders."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from nnunet_vit.modeling.weights.files.placeholders import Name, OddTensor, Placeholder

DTYPES = {  # of torch's storages, by the first part of their names
    "Float": torch.float32,
    "Double": torch.float64,
    "Half": torch.float16,
    "BFloat16": torch.bfloat16,
    "Long": torch.int64,
    "Int": torch.int32,
    "Short": torch.int16,
    "Char": torch.int8,
    "Byte": torch.uint8,
    "Bool": torch.bool,
    "ComplexFloat": torch.complex64,
    "ComplexDouble": torch.complex128,
    "Untyped": torch.uint8,
}
MORE_DTYPES = (
    torch.uint16,
    torch.uint32,
    torch.uint64,
    torch.float8_e4m3fn,
    torch.float8_e5m2,
    torch.float8_e4m3fnuz,
    torch.float8_e5m2fnuz,
)
UTILS = "torch._utils._rebuild_"
ODD = {  # functions and classes that make tensors without plain values
    f"{UTILS}sparse_tensor": "sparse",
    f"{UTILS}sparse_csr_tensor": "sparse",
    f"{UTILS}meta_tensor_no_storage": "meta",
    f"{UTILS}qtensor": "quantized",
    f"{UTILS}nested_tensor": "nested",
    f"{UTILS}device_tensor_from_numpy": "device-bound",
    f"{UTILS}xla_tensor": "device-bound",
    "torch.nested._internal.nested_tensor._rebuild_njt": "nested",
    "torch.nn.parameter.UninitializedParameter": "uninitialized",
}
DISTRIBUTED = "torch.distributed."
WRAPPERS = (f"{UTILS}wrapper_subclass", "torch._tensor._rebuild_from_type_v2")
PARAMETERS = (
    f"{UTILS}parameter",
    f"{UTILS}parameter_with_state",
    f"{UTILS}device_tensor_from_cpu_tensor",
    "torch.nn.parameter.Parameter",
    "torch.nn.parameter.Buffer",
)
BY_NAME = {str(dtype): dtype for dtype in (*DTYPES.values(), *MORE_DTYPES)}
MOST_REPEATED = 1 << 24  # numbers of a tensor that is larger than what lies in the file
Edges = Sequence[int]  # as torch writes them; other content fails where they are used
MAPPINGS = ("OrderedDict", "defaultdict", "Counter", "dict")


@dataclass(frozen=True)
class Storage:
    """Bytes of a file that tensors lie in.

    Attributes:
        values: all of them, one-dimensional.
        dtype: of the tensors, where they do not bring one; None: none that is read here.
    """

    values: Tensor
    dtype: torch.dtype | None


def dtype_of(storage: Name) -> torch.dtype | None:
    """Return what a storage class holds; None: quantized values, or nothing known."""
    return DTYPES.get(storage.text.rpartition(".")[2].removesuffix("Storage"))


def made(what: object, arguments: tuple[object, ...]) -> object:
    """Return what a named class or function would make, or something inert in its place.

    Raises:
        ValueError: the parts do not belong together.
    """
    if not isinstance(what, Name):
        raise ValueError("it calls something that is no class or function")
    name = what.text
    if name in MAKERS:
        return MAKERS[name](*arguments)
    if name in PARAMETERS and arguments:
        return arguments[0]
    if name in ODD:
        return OddTensor(ODD[name])
    if name in WRAPPERS:
        return _wrapped(arguments)
    if name.startswith(DISTRIBUTED) and name.endswith("Tensor"):
        return OddTensor("distributed")
    if name.startswith("collections.") and name.endswith(MAPPINGS):
        return _mapping(arguments)
    return Placeholder(name)


def _wrapped(arguments: tuple[object, ...]) -> object:
    """Return a tensor that only carries attributes; one of a class of its own is odd."""
    if len(arguments) == 4 and isinstance(arguments[0], Name) and isinstance(arguments[2], tuple):
        plain = getattr(arguments[1], "text", "").endswith((".Tensor", ".Parameter"))
        if plain:
            return made(arguments[0], arguments[2])
    names = [part.text for part in arguments[:2] if isinstance(part, Name)]
    distributed = any(name.startswith(DISTRIBUTED) for name in names)
    return OddTensor("distributed" if distributed else "wrapped")


def _mapping(arguments: tuple[object, ...]) -> dict[object, object]:
    """Make a plain mapping; the factory of a defaultdict is left out."""
    held = [part for part in arguments if isinstance(part, dict | list)]
    return dict(held[0]) if held else {}


def _tensor(storage: object, offset: int, size: Edges, stride: Edges, *_: object) -> object:
    if not isinstance(storage, Storage):
        raise ValueError("a tensor without a storage")
    if storage.dtype is None:
        return OddTensor("quantized")
    return _view(storage.values.view(storage.dtype), offset, size, stride=stride)


def _tensor_v2(storage: object, offset: int, size: Edges, stride: Edges, *more: object) -> object:
    lazily = len(more) > 2 and more[2]  # a conjugate or a negative that is not worked out
    return OddTensor("lazily negated") if lazily else _tensor(storage, offset, size, stride)


def _tensor_v3(storage: Storage, offset: int, size: Edges, stride: Edges, *more: object) -> object:
    dtype = BY_NAME.get(getattr(more[2], "text", "")) if len(more) > 2 else None
    if dtype is None:
        return OddTensor("unknown")
    return _tensor(Storage(storage.values, dtype), offset, size, stride)


def _view(values: Tensor, offset: int, size: Edges, *, stride: Edges) -> Tensor:
    size, stride = tuple(size), tuple(stride)
    whole = len(size) == len(stride) and min((0, offset, *size, *stride)) == 0
    reach = offset + sum((edge - 1) * step for edge, step in zip(size, stride, strict=False)) + 1
    if not whole or (0 not in size and reach > values.numel()):
        raise ValueError("a tensor reaches beyond its storage")
    if math.prod(size) > max(values.numel(), MOST_REPEATED):
        raise ValueError("a tensor repeats its storage too often")
    return torch.as_strided(values, size, stride, offset if 0 not in size else 0)


def _as_list(*arguments: object) -> list[object]:
    return list(arguments[0]) if arguments and isinstance(arguments[0], list | tuple) else []


MAKERS: dict[str, Callable[..., object]] = {
    f"{UTILS}tensor": _tensor,
    f"{UTILS}tensor_v2": _tensor_v2,
    f"{UTILS}tensor_v3": _tensor_v3,
    "builtins.dict": lambda *arguments: _mapping(arguments),
    "builtins.list": _as_list,
    "builtins.set": lambda *arguments: set(),
    "torch.jit._pickle.build_tensorlist": _as_list,
    "torch.jit._pickle.restore_type_tag": lambda *arguments: arguments[0] if arguments else None,
}
