"""The loss of a head that brings its own."""

from collections.abc import Callable
from typing import Any

from torch import Tensor

from nnunet_vit.config.head_options import decoder_options, head_plugin
from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.errors import PluginError
from nnunet_vit.registry.calling import call_hook
from nnunet_vit.registry.loading import plugin_failures

HOOK = "create_loss"
Loss = Callable[[Any, Any], Tensor]


def has_own_loss(run: ViTnnUNetConfig) -> bool:
    """Tell whether the run's head brings its own loss."""
    return HOOK in head_plugin(run.model).hooks


def own_loss(
    run: ViTnnUNetConfig,
    num_classes: int,
    has_regions: bool,
    ignore_label: int | None,
    default_loss: Loss,
) -> Loss:
    """Return the loss of the run's head: its own, or else the default.

    Raises:
        PluginError: the head's package breaks the contract.
    """
    plugin = head_plugin(run.model)
    if HOOK not in plugin.hooks:
        return default_loss
    offered = {
        "num_classes": num_classes,
        "options": decoder_options(run),
        "has_regions": has_regions,
        "ignore_label": ignore_label,
        "default_loss": default_loss,
    }
    with plugin_failures(f"{plugin.title}: {HOOK}"):
        loss = call_hook(plugin, HOOK, offered)
    if not callable(loss):
        raise PluginError(
            f"{plugin.title}: {HOOK} returned {type(loss).__name__}; needed: something to be "
            "called with (outputs, target)."
        )
    found: Loss = loss
    return found
