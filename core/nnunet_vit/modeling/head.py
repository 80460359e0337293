"""A run's head: its plugin, its validated options, and every hook that it may bring.

`Head` is made once per run, where the plugin is imported and the options are validated; who builds,
trains or describes a network asks it.
"""

from collections.abc import Callable
from functools import cached_property
from typing import Any

from torch import Tensor, nn

from nnunet_vit.config.head_options import decoder_options, head_plugin
from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.errors import PluginError
from nnunet_vit.files.json_file import JsonMapping
from nnunet_vit.hookspecs import HeadOptions, HeadOutput
from nnunet_vit.registry.calling import argument_names, call_hook
from nnunet_vit.registry.plugins import plugin_failures

BUILD, LOSS, STEP = "create_segmentation_model", "create_loss", "before_training_step"
Loss = Callable[[HeadOutput, Any], Tensor]  # of outputs and target, or a target per level


class Head:
    """The head of a run.

    Attributes:
        plugin: its hooks, and how an error calls it.
        has_loss: whether it brings its own loss.
        has_training_step: whether it changes while it is trained.
    """

    def __init__(self, run: ViTnnUNetConfig) -> None:
        """Import the head that the run names, and nothing else.

        Raises:
            ConfigError: no installed package has it, or model_path is no module name.
            PluginError: it is installed twice, cannot be imported or builds no model.
        """
        self._run = run
        self.plugin = head_plugin(run.model)
        self.has_loss = LOSS in self.plugin.hooks
        self.has_training_step = STEP in self.plugin.hooks

    @cached_property
    def options(self) -> HeadOptions:
        """The run's options for it, validated by the head that is installed now.

        Raises:
            ConfigError: the head does not take these options.
            PluginError: the head's package is broken.
        """
        return decoder_options(self._run)

    @cached_property
    def arguments(self) -> tuple[str, ...]:
        """The names of the arguments that it wants to be built with."""
        return argument_names(self.plugin, BUILD)

    @property
    def deep_supervision(self) -> bool:
        """Whether it can return several resolutions."""
        return "deep_supervision" in self.arguments

    def build(self, offered: JsonMapping) -> nn.Module:
        """Return the network that the head builds from those of the offered arguments it names.

        Raises:
            PluginError: the head fails, or returns no module.
        """
        with plugin_failures(f"{self.plugin.title}: {BUILD}"):
            model = call_hook(self.plugin, BUILD, offered)
        if not isinstance(model, nn.Module):
            raise PluginError(
                f"{self.plugin.title}: {BUILD} returned {type(model).__name__}, not a "
                "torch.nn.Module."
            )
        return model

    def loss(
        self, num_classes: int, has_regions: bool, ignore_label: int | None, *, default_loss: Loss
    ) -> Loss:
        """Return the head's own loss, or else the default.

        Raises:
            PluginError: the head's package breaks the contract.
        """
        if not self.has_loss:
            return default_loss
        offered = {
            "num_classes": num_classes,
            "options": self.options,
            "has_regions": has_regions,
            "ignore_label": ignore_label,
            "default_loss": default_loss,
        }
        with plugin_failures(f"{self.plugin.title}: {LOSS}"):
            loss = call_hook(self.plugin, LOSS, offered)
        if not callable(loss):
            raise PluginError(
                f"{self.plugin.title}: {LOSS} returned {type(loss).__name__}; needed: something "
                "to be called with (outputs, target)."
            )
        found: Loss = loss
        return found

    def on_training_step(self, model: nn.Module, progress: float) -> None:
        """Tell the head before each step how far the training is; nothing where it does not ask.

        Args:
            model: what `build` returned.
            progress: share of the training's steps that are done, from 0 to below 1.

        Raises:
            PluginError: the head fails.
        """
        if self.has_training_step:
            with plugin_failures(f"{self.plugin.title}: {STEP}"):
                call_hook(self.plugin, STEP, {"model": model, "progress": progress})
