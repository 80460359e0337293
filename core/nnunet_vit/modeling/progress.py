"""A head that changes while it is trained learns here how far the training is."""

from collections.abc import Callable

from torch import nn

from nnunet_vit.config.head_options import head_plugin
from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.registry.calling import call_hook
from nnunet_vit.registry.loading import plugin_failures

HOOK = "before_training_step"


def progress_listener(run: ViTnnUNetConfig, model: nn.Module) -> Callable[[float], None]:
    """Return what is to be called before each step, with the share of the training that is done.

    Args:
        run: names the head.
        model: what the head's create_segmentation_model returned.
    """
    plugin = head_plugin(run.model)
    if HOOK not in plugin.hooks:
        return lambda progress: None

    def tell(progress: float) -> None:
        with plugin_failures(f"{plugin.title}: {HOOK}"):
            call_hook(plugin, HOOK, {"model": model, "progress": progress})

    return tell
