"""What follows a training: one callback, one file, found by being here.

A file has CALLBACK, a subclass of `TrainingCallback` that is made without arguments.
"""

import importlib
import pkgutil

from nnunet_vit.training.callback import TrainingCallback


def found() -> list[TrainingCallback]:
    """Return a new callback of each file of this folder."""
    modules = [
        importlib.import_module(f"{__name__}.{module.name}")
        for module in pkgutil.iter_modules(__path__)
    ]
    return [module.CALLBACK() for module in modules]
