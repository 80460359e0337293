"""What a folder's own files bring, and the one thing of a name among them and the plugins."""

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from nnunet_vit.errors import ConfigError, PluginError, did_you_mean
from nnunet_vit.registry import catalogue
from nnunet_vit.registry.calling import described_by
from nnunet_vit.registry.plugins import MAIN_HOOKS, plugin_failures


class Named(Protocol):
    """A dataclass that describes a thing with a name."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def name(self) -> str:
        """What keys and options call it."""


Thing = TypeVar("Thing", bound=Named)


def modules_of(package: str, path: Iterable[str], *, besides: str = "") -> list[ModuleType]:
    """Return the modules of a folder whose files are its list, in the order of their names.

    Args:
        package: the folder's `__name__`.
        path: its `__path__`.
        besides: a module that says what the others have to be; folders are never in the list.
    """
    found = sorted(entry.name for entry in pkgutil.iter_modules(path) if not entry.ispkg)
    return [importlib.import_module(f"{package}.{name}") for name in found if name != besides]


@dataclass(frozen=True)
class Kind(Generic[Thing]):
    """A kind of thing that files of a folder bring, and packages by an entry point.

    Attributes:
        group: of the entry points.
        described: the class that describes one.
        path: where authors of packages import that class from.
        asked_by: key or option that says a name, as errors begin.
        noun: what one is called beside that key.
        function: of the description, whose errors are the package's; empty: none.
    """

    group: str
    described: type[Thing]
    path: str
    asked_by: str
    noun: str
    function: str = ""

    def named(
        self,
        name: str,
        own: Mapping[str, Thing],
        *,
        outside: Callable[[catalogue.PluginRecord], Thing] | None = None,
        others: Sequence[str] = (),
    ) -> Thing:
        """Return the thing of that name, from this package or from an installed one.

        Args:
            name: which one.
            own: those of this package, by name.
            outside: returns what a plugin brings; None: `self.outside`.
            others: what the key takes besides, for the error.

        Raises:
            ConfigError: nobody has it.
            PluginError: several have it, or the package that has it is broken.
        """
        plugins = catalogue.installed(self.group)
        if name in own and name in plugins:
            raise catalogue.own_clash(plugins[name][0])
        if name in own:
            return own[name]
        if name in plugins:
            return (outside or self.outside)(catalogue.find(self.group, name))
        raise self._unknown(name, [*own, *plugins, *others])

    def outside(self, record: catalogue.PluginRecord) -> Thing:
        """Return what an installed package describes, under its entry point's name.

        Raises:
            PluginError: the package is broken, or describes something else or by another name.
        """
        found = described_by(record, self.described, self.path)
        if found.name != record.name:
            raise PluginError(
                f"{record.title}: {MAIN_HOOKS[self.group]} returned the {self.noun} "
                f"'{found.name}'; needed: '{record.name}', the name of its entry point."
            )
        return self._guarded(found, record) if self.function else found

    def _guarded(self, found: Thing, record: catalogue.PluginRecord) -> Thing:
        inner = getattr(found, self.function)

        def call(*arguments: object) -> object:
            with plugin_failures(f"{record.title}: {self.function}"):
                return inner(*arguments)

        return replace(found, **{self.function: call})

    def _unknown(self, name: str, names: Sequence[str]) -> ConfigError:
        known = list(dict.fromkeys(names))
        nearest, title = did_you_mean(name, known), f"{self.noun.title()}s"
        return ConfigError(
            f"{self.asked_by}: there is no {self.noun} '{name}'.{nearest} {title}: "
            f"{', '.join(known)}.",
            fix=""
            if nearest
            else f"choose one of them, or install the package that brings '{name}'.",
        )
