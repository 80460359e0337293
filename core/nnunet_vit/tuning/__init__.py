"""Ways to fine-tune the backbone: one file each, found by being here.

A method's module has NAME, SUMMARY, PRIORITY (the highest that a run asks for is taken),
`asked_for(run) -> bool` and `tune(model, run) -> None`, which changes the timm model in place.
"""

import importlib
import pkgutil
from functools import cache
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import nn

    from nnunet_vit.config.models import ViTnnUNetConfig


class TuningMethod(Protocol):
    """What each file of this folder has."""

    NAME: str
    SUMMARY: str
    PRIORITY: int

    def asked_for(self, run: "ViTnnUNetConfig") -> bool:
        """Tell whether the run wants this method."""

    def tune(self, model: "nn.Module", run: "ViTnnUNetConfig") -> None:
        """Change the timm model in place: what is trained, what is added."""


@cache
def methods() -> dict[str, TuningMethod]:
    """Return the methods of this folder by name."""
    modules = [
        importlib.import_module(f"{__name__}.{found.name}")
        for found in pkgutil.iter_modules(__path__)
    ]
    return {module.NAME: module for module in modules}


def method_of(run: "ViTnnUNetConfig") -> TuningMethod:
    """Return the method that a run asks for; full fine-tuning where it asks for none."""
    wanted = [method for method in methods().values() if method.asked_for(run)]
    return max(wanted, key=lambda method: method.PRIORITY)
