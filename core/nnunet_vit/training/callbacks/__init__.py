"""What follows a training: one callback, one file, found by being here.

A file has CALLBACK, a subclass of `TrainingCallback` that is made without arguments.
"""

from nnunet_vit.registry.lookup import modules_of
from nnunet_vit.training.callback import TrainingCallback


def found() -> list[TrainingCallback]:
    """Return a new callback of each file of this folder."""
    return [module.CALLBACK() for module in modules_of(__name__, __path__)]
