"""Import one plugin, and only that one, and read its hooks through pluggy."""

import contextlib
import importlib
import io
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Any

import pluggy

from nnunet_vit import hookspecs
from nnunet_vit.errors import ConfigError, PluginError, UserError
from nnunet_vit.registry.catalogue import (
    AUGMENTATIONS,
    BACKBONES,
    HEADS,
    LOSSES,
    METRICS,
    TRACKERS,
    TUNING,
    PluginRecord,
)

Hook = Callable[..., Any]
LONGEST_REASON = 400  # characters
MAIN_HOOKS = {  # what each kind of plugin must have
    HEADS: "create_segmentation_model",
    BACKBONES: "backbone_family",
    TUNING: "tuning_method",
    METRICS: "segmentation_metric",
    TRACKERS: "training_tracker",
    LOSSES: "segmentation_loss",
    AUGMENTATIONS: "training_augmentation",
}


@dataclass(frozen=True)
class LoadedPlugin:
    """A plugin's hook functions by name, and how an error calls the plugin."""

    title: str
    hooks: dict[str, Hook]
    advice: str = "decorate a function {name} with nnunet_vit.hookspecs.hookimpl."

    def hook(self, name: str) -> Hook:
        """Return a hook function that this plugin must have.

        Raises:
            PluginError: the plugin does not implement it.
        """
        if name not in self.hooks:
            raise PluginError(
                f"{self.title} has no {name}; it has: {', '.join(self.hooks) or 'no hook'}.",
                fix=self.advice.format(name=name),
            )
        return self.hooks[name]


def load_plugin(record: PluginRecord) -> LoadedPlugin:
    """Import the plugin's module and check its hooks against the specification.

    Raises:
        PluginError: it cannot be imported, or a hook has an unknown name or argument.
    """
    with plugin_failures(record.title):
        with contextlib.redirect_stdout(sys.stderr):
            target = record.entry_point.load()
        _refuse_class(target, record)
        return LoadedPlugin(record.title, _hooks_of(target))


def load_module(path: str) -> LoadedPlugin:
    """Import the module that `model_path` names: plain functions with the hooks' names.

    Raises:
        ConfigError: `path` is not a dotted module name.
        PluginError: the module cannot be imported.
    """
    if not all(part.isidentifier() for part in path.split(".")):
        raise ConfigError(
            f"model_path must be a dotted module name like my_package.my_model, given '{path}'."
        )
    title = f"Module '{path}' (model_path)"
    with plugin_failures(title):
        module = _imported(path, title)
        functions = {name: getattr(module, name, None) for name in _hook_names()}
        hooks = {name: function for name, function in functions.items() if callable(function)}
        return LoadedPlugin(title, hooks, advice="write a function {name} in the module.")


def _imported(path: str, title: str) -> ModuleType:
    try:
        return importlib.import_module(path)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{path}.".startswith(f"{error.name}."):
            raise  # the module is there, and what it imports is not
        raise PluginError(
            f"{title} cannot be found.", fix="put its folder on PYTHONPATH, or install its package."
        ) from error


@contextlib.contextmanager
def plugin_failures(title: str) -> Iterator[None]:
    """Turn whatever a plugin's code raises into one PluginError that names the plugin."""
    try:
        yield
    except (KeyboardInterrupt, UserError):
        raise
    except BaseException as error:  # a plugin may even call sys.exit at import
        if type(error).__name__ == "OutOfMemoryError":  # torch's: the machine, not the plugin
            raise
        raise PluginError(
            f"{title} failed: {type(error).__name__}: {_one_line(error)}.",
            fix="install what it misses, fix it, upgrade it or uninstall it.",
        ) from error


def broken_reason(record: PluginRecord) -> str:
    """Return why the plugin cannot be loaded without torch, or an empty text if it can."""
    try:
        with _refused("torch", "timm", "peft"), contextlib.redirect_stderr(io.StringIO()):
            load_plugin(record).hook(_main_hook(record))
    except UserError as error:
        return error.problem
    return ""


def _refuse_class(target: object, record: PluginRecord) -> None:
    """Refuse an entry point that names a class or a function: their hooks cannot be called."""
    if isinstance(target, type):
        kind, instead = "class", "the module, or an instance of the class"
    elif isinstance(target, FunctionType):
        kind, instead = "function", "the module that the function stands in"
    else:
        return
    raise PluginError(
        f"{record.title}: its entry point, {record.entry_point.value}, names a {kind}.",
        fix=f"let it name {instead}.",
    )


def _hooks_of(target: object) -> dict[str, Hook]:
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(target)
    manager.check_pending()
    callers = manager.get_hookcallers(target) or []
    return {
        caller.name: implementation.function
        for caller in callers
        for implementation in caller.get_hookimpls()
    }


def _hook_names() -> list[str]:
    return [name for name, value in vars(hookspecs).items() if hasattr(value, "nnunet_vit_spec")]


def _main_hook(record: PluginRecord) -> str:
    return MAIN_HOOKS[record.entry_point.group]


def _one_line(error: BaseException) -> str:
    words = " ".join(str(error).split()).rstrip(".")
    return words[:LONGEST_REASON] or "no message"


@contextlib.contextmanager
def _refused(*packages: str) -> Iterator[None]:
    """Refuse the import of heavy packages that are not loaded yet: a listing stays fast."""

    class Refusal:
        def find_spec(
            self, name: str, path: object = None, target: ModuleType | None = None
        ) -> None:
            if name.partition(".")[0] in packages:
                raise ImportError(
                    f"imports {name} at module level; a plugin does so inside its hook"
                )

    refusal = Refusal()
    sys.meta_path.insert(0, refusal)
    try:
        yield
    finally:
        sys.meta_path.remove(refusal)
