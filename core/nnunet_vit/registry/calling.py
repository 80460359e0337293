"""Hand a hook the arguments that it names, and no others."""

import inspect
from typing import Any, TypeVar

from nnunet_vit.errors import PluginError
from nnunet_vit.files.json_file import JsonMapping
from nnunet_vit.registry.catalogue import PluginRecord
from nnunet_vit.registry.plugins import MAIN_HOOKS, LoadedPlugin, load_plugin, plugin_failures

Described = TypeVar("Described")


def argument_names(plugin: LoadedPlugin, hook: str) -> tuple[str, ...]:
    """Return the names of the arguments that the plugin's hook takes."""
    return tuple(inspect.signature(plugin.hook(hook)).parameters)


def takes_backbone(head: LoadedPlugin) -> bool:
    """Tell whether a head is built on the run's backbone, and brings none of its own."""
    return "backbone" in argument_names(head, "create_segmentation_model")


def call_hook(plugin: LoadedPlugin, hook: str, offered: JsonMapping) -> Any:  # noqa: ANN401
    """Call the plugin's hook with those of the offered arguments that it names.

    pluggy itself leaves out arguments that have a default; here they are handed over too, because
    a head that writes `lora_rank: int = 8` means the run's rank, not 8.

    Raises:
        PluginError: the hook needs an argument that is not offered.
    """
    function = plugin.hook(hook)
    parameters = inspect.signature(function).parameters.values()
    missing = [
        parameter.name
        for parameter in parameters
        if parameter.name not in offered
        and parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]
    if missing:
        raise PluginError(
            f"{plugin.title}: {hook} asks for {', '.join(missing)}, which is not offered; "
            f"offered: {', '.join(offered)}."
        )
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return function(**offered)
    return function(**{p.name: offered[p.name] for p in parameters if p.name in offered})


def described_by(record: PluginRecord, needed: type[Described], path: str) -> Described:
    """Return what a plugin's main hook describes: a family of backbones, a tuning method.

    Args:
        record: of the plugin.
        needed: what the hook has to return.
        path: where plugin authors import that from.

    Raises:
        PluginError: the package is broken or describes something else.
    """
    plugin, hook = load_plugin(record), MAIN_HOOKS[record.entry_point.group]
    with plugin_failures(f"{plugin.title}: {hook}"):
        found = call_hook(plugin, hook, {})
    if not isinstance(found, needed):
        raise PluginError(
            f"{plugin.title}: {hook} returned {type(found).__name__}; needed: {path}."
        )
    return found
