"""Ways to fine-tune the backbone: those of this folder's files, found by being here, and plugins'.

A file has METHODS, a tuple of `TuningMethod`. A package brings one by the hook `tuning_method` in
the entry-point group nnunet_vit.tuning.
"""

from functools import cache
from typing import TYPE_CHECKING

from nnunet_vit.registry import catalogue
from nnunet_vit.registry.lookup import Kind, modules_of
from nnunet_vit.tuning.method import TuningMethod

if TYPE_CHECKING:
    from nnunet_vit.config.models import ViTnnUNetConfig

__all__ = ["TuningMethod", "method_name", "method_of", "named_method", "own_methods"]

KIND = Kind(
    catalogue.TUNING,
    TuningMethod,
    "nnunet_vit.tuning.TuningMethod",
    "model.tuning",
    "method",
    "tune",
)


@cache
def own_methods() -> dict[str, TuningMethod]:
    """Return the methods of this folder by name; what they share lies in packages beside them."""
    modules = modules_of(__name__, __path__, besides="method")
    found = {method.name: method for module in modules for method in module.METHODS}
    return dict(sorted(found.items()))


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
        PluginError: several packages have it, or the one that has it is broken.
    """
    return named_method(method_name(run))


def named_method(name: str) -> TuningMethod:
    """Return the method of that name, from this folder or from an installed package.

    Raises:
        ConfigError: nobody has it.
        PluginError: several have it, or the package that has it is broken.
    """
    return KIND.named(name, own_methods())
