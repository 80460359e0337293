"""A reader of pickles that imports nothing, calls nothing of the file, and sets nothing.

Python's own unpickler, with every instruction that names, calls or changes an object replaced:
names stay names, and what they would make is made by `rebuilt`, or is an inert placeholder.
"""

import pickle
from collections.abc import Callable
from typing import Any, BinaryIO, ClassVar

from nnunet_vit.modeling.weights.files.placeholders import Name, Placeholder, named
from nnunet_vit.modeling.weights.files.rebuilt import made

Instruction = Callable[["InertUnpickler"], None]


class InertUnpickler(pickle._Unpickler):
    """Reads one pickle of a file.

    Attributes:
        foreign: names of the file that are neither harmless nor those of a training framework.
    """

    # Any: the base class's are declared for another class than the one that has them
    dispatch: ClassVar[dict[int, Any]] = dict(pickle._Unpickler.dispatch)
    stack: list[object]

    def __init__(self, file: BinaryIO, storage_of: Callable[[object], object]) -> None:
        """Read from a file; storage_of returns what a persistent id of the pickle means."""
        super().__init__(file, encoding="latin1")
        self.foreign: set[str] = set()
        self._storage_of = storage_of

    def persistent_load(self, pid: object) -> object:
        """Return the storage that tensors lie in."""
        return self._storage_of(pid)

    def find_class(self, module: str, name: str) -> Name:
        """Return the name, and look nothing up."""
        found = named(module, name)
        if not found.allowed:
            self.foreign.add(found.text)
        return found

    def get_extension(self, code: int) -> None:
        """Refuse names from the running process's own registry."""
        raise ValueError(f"it uses extension {code} of another program")


def _instruction(opcode: bytes) -> Callable[[Instruction], Instruction]:
    def replace(own: Instruction) -> Instruction:
        InertUnpickler.dispatch[opcode[0]] = own
        return own

    return replace


def _made(what: object, arguments: object) -> object:
    return made(what, tuple(arguments) if isinstance(arguments, list | tuple) else ())


@_instruction(pickle.REDUCE)
@_instruction(pickle.NEWOBJ)
def _reduce(reader: InertUnpickler) -> None:
    arguments = reader.stack.pop()
    reader.stack[-1] = _made(reader.stack[-1], arguments)


@_instruction(pickle.BYTEARRAY8)
def _bytes(reader: InertUnpickler) -> None:
    """Read what is there: Python's own reader makes room for what the file says first."""
    size = int.from_bytes(reader.read(8), "little")  # type: ignore[attr-defined]
    reader.append(bytearray(reader.read(size)))  # type: ignore[attr-defined]


@_instruction(pickle.NEWOBJ_EX)
def _new_with_keywords(reader: InertUnpickler) -> None:
    reader.stack.pop()
    _reduce(reader)


@_instruction(pickle.INST)
def _instance(reader: InertUnpickler) -> None:
    module, name = (reader.readline()[:-1].decode("ascii") for _ in range(2))  # type: ignore[attr-defined]
    parts = reader.pop_mark()  # type: ignore[attr-defined] # puts another stack in place
    reader.append(_made(reader.find_class(module, name), parts))  # type: ignore[attr-defined]


@_instruction(pickle.OBJ)
def _object(reader: InertUnpickler) -> None:
    what, *arguments = reader.pop_mark()  # type: ignore[attr-defined]
    reader.append(_made(what, arguments))  # type: ignore[attr-defined]


@_instruction(pickle.BUILD)
def _build(reader: InertUnpickler) -> None:
    state = reader.stack.pop()
    built = reader.stack[-1]
    if isinstance(built, Placeholder):
        parts = state if isinstance(state, tuple) else (state,)
        for part in parts:
            built.state.update(part if isinstance(part, dict) else {})


@_instruction(pickle.APPEND)
def _append(reader: InertUnpickler) -> None:
    _extend(reader, [reader.stack.pop()])


@_instruction(pickle.APPENDS)
@_instruction(pickle.ADDITEMS)
def _appends(reader: InertUnpickler) -> None:
    _extend(reader, reader.pop_mark())  # type: ignore[attr-defined]


def _extend(reader: InertUnpickler, items: list[object]) -> None:
    if isinstance(reader.stack[-1], list):
        reader.stack[-1].extend(items)


@_instruction(pickle.SETITEM)
def _set_item(reader: InertUnpickler) -> None:
    value = reader.stack.pop()
    _update(reader, [reader.stack.pop(), value])


@_instruction(pickle.SETITEMS)
def _set_items(reader: InertUnpickler) -> None:
    _update(reader, reader.pop_mark())  # type: ignore[attr-defined]


def _update(reader: InertUnpickler, items: list[object]) -> None:
    target = reader.stack[-1]
    held = target.items if isinstance(target, Placeholder) else target
    if isinstance(held, dict):
        held.update(zip(items[::2], items[1::2], strict=True))
