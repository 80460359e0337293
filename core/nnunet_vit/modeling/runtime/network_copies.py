"""Copies of a network for threads and folds: modules of their own, the same parameters."""

import copy
import functools
import types
from collections.abc import Iterator, Mapping

from torch import nn

PLAIN = (str, bytes, int, float, bool, type, types.ModuleType, types.BuiltinFunctionType)


def copied(network: nn.Module) -> nn.Module | None:
    """Return a copy whose modules keep state of their own while they share the parameters.

    Returns:
        The copy; None where a module holds a function that holds on to an object, as a hook that
        stores features does: the copy's function would use the object of the original.
    """
    if any(_holds_on(value) for module in network.modules() for value in _attributes(module)):
        return None
    return copy.deepcopy(network, {id(parameter): parameter for parameter in network.parameters()})


def _attributes(module: nn.Module) -> Iterator[object]:
    """Yield what a module holds; of its dictionaries, as those of hooks, what is in them."""
    for value in vars(module).values():
        if isinstance(value, Mapping):
            yield from value.values()
        else:
            yield value


def _holds_on(value: object) -> bool:
    """Tell whether it is a function with an object in it."""
    if isinstance(value, functools.partial):
        return any(map(_is_object, (value.func, *value.args, *value.keywords.values())))
    if isinstance(value, types.FunctionType):
        return any(_is_object(cell.cell_contents) for cell in value.__closure__ or ())
    return False


def _is_object(value: object) -> bool:
    if isinstance(value, functools.partial | types.FunctionType):
        return _holds_on(value)
    if isinstance(value, tuple):
        return any(map(_is_object, value))
    return value is not None and not isinstance(value, PLAIN)
