"""What a folder's own files bring, and the one thing of a name among them and the plugins."""

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import ModuleType
from typing import TypeVar

from nnunet_vit.errors import ConfigError, PluginError, did_you_mean
from nnunet_vit.registry import catalogue

Thing = TypeVar("Thing")


def modules_of(package: str, path: Iterable[str], *, besides: str = "") -> list[ModuleType]:
    """Return the modules of a folder whose files are its list, in the order of their names.

    Args:
        package: the folder's `__name__`.
        path: its `__path__`.
        besides: a module that says what the others have to be; folders are never in the list.
    """
    found = sorted(entry.name for entry in pkgutil.iter_modules(path) if not entry.ispkg)
    return [importlib.import_module(f"{package}.{name}") for name in found if name != besides]


def one_named(
    group: str,
    name: str,
    own: Mapping[str, Thing],
    *,
    outside: Callable[[catalogue.PluginRecord], Thing],
    asked_by: str,
    noun: str,
    others: Sequence[str] = (),
) -> Thing:
    """Return the thing of that name, from this package or from an installed one.

    Args:
        group: of the entry points that bring others.
        name: which one.
        own: those of this package, by name.
        outside: returns what a plugin brings.
        asked_by: key or option that says the name, as errors begin.
        noun: what such a thing is called beside that key.
        others: what the key takes besides, for the error.

    Raises:
        ConfigError: nobody has it.
        PluginError: several have it, or the package that has it is broken.
    """
    plugins = catalogue.installed(group)
    if name in own and name in plugins:
        raise catalogue.own_clash(plugins[name][0])
    if name in own:
        return own[name]
    if name in plugins:
        return outside(catalogue.find(group, name))
    known = list(dict.fromkeys([*own, *plugins, *others]))
    nearest = did_you_mean(name, known)
    raise ConfigError(
        f"{asked_by}: there is no {noun} '{name}'.{nearest} {noun.title()}s: {', '.join(known)}.",
        fix="" if nearest else f"choose one of them, or install the package that brings '{name}'.",
    )


def checked_name(found: str, record: catalogue.PluginRecord, *, hook: str, noun: str) -> None:
    """Refuse what calls itself otherwise than the entry point that brings it.

    Raises:
        PluginError: names both.
    """
    if found != record.name:
        raise PluginError(
            f"{record.title}: {hook} returned the {noun} '{found}'; needed: '{record.name}', the "
            "name of its entry point."
        )
