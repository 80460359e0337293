"""What follows a training: one callback, one file, found by being here.

A file has CALLBACK, a subclass of `TrainingCallback` that is made without arguments.
"""

import importlib
import pkgutil
from collections.abc import Iterator
from operator import attrgetter
from typing import TypeVar

from nnunet_vit.training.callback import TrainingCallback

Kind = TypeVar("Kind", bound=TrainingCallback)


class Callbacks:
    """The callbacks of one training, in the order in which they are told."""

    def __init__(self, callbacks: list[TrainingCallback] | None = None) -> None:
        """Take these, or one of each in this folder."""
        made = found() if callbacks is None else callbacks
        self._all = sorted(made, key=attrgetter("order"))

    def __iter__(self) -> Iterator[TrainingCallback]:
        return iter(self._all)

    def of(self, kind: type[Kind]) -> Kind:
        """Return the one of that class."""
        (callback,) = (each for each in self._all if isinstance(each, kind))
        return callback


def found() -> list[TrainingCallback]:
    """Return a new callback of each file of this folder."""
    modules = [
        importlib.import_module(f"{__name__}.{module.name}")
        for module in pkgutil.iter_modules(__path__)
    ]
    return [module.CALLBACK() for module in modules]
