"""Ways to fine-tune the backbone: one file each, found by being here.

A method's module has NAME, SUMMARY, ADAPTERS (whether it needs the section `lora`) and
`tune(model, run) -> None`, which changes the timm model in place.
"""

import importlib
import pkgutil
from functools import cache
from typing import TYPE_CHECKING, Protocol

from nnunet_vit.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from torch import nn

    from nnunet_vit.config.models import ViTnnUNetConfig


class TuningMethod(Protocol):
    """What each file of this folder has."""

    NAME: str
    SUMMARY: str
    ADAPTERS: bool

    def tune(self, model: "nn.Module", run: "ViTnnUNetConfig") -> None:
        """Change the timm model in place: what is trained, what is added."""


@cache
def methods() -> dict[str, TuningMethod]:
    """Return the methods of this folder by name; what they share lies in packages beside them."""
    modules = [
        importlib.import_module(f"{__name__}.{found.name}")
        for found in pkgutil.iter_modules(__path__)
        if not found.ispkg
    ]
    return {module.NAME: module for module in modules}


def method_name(run: "ViTnnUNetConfig") -> str:
    """Return the method that the run names, or else the one that its older keys ask for."""
    if run.model.tuning is not None:
        return run.model.tuning
    if run.lora.enabled:  # `freeze_backbone: true` beside it means the same, frozen but adapted
        return "lora"
    return "frozen" if run.model.freeze_backbone else "full"


def method_of(run: "ViTnnUNetConfig") -> TuningMethod:
    """Return the method of a run.

    Raises:
        ConfigError: there is no such method.
    """
    name = method_name(run)
    if name not in methods():
        raise ConfigError(
            f"model.tuning: there is no method '{name}'.{did_you_mean(name, methods())} "
            f"Methods: {', '.join(methods())}."
        )
    return methods()[name]
