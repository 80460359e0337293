"""timm is imported without torch's compiler, which takes a second and 140 MB and computes nothing.

timm decorates a function with `torch.compiler.disable` and torchvision takes a function from
`torch._dynamo.utils`: each of the two loads the whole compiler, with sympy. Who compiles loads it.
"""

import importlib
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

from nnunet_vit.modeling.runtime.compile_switch import compiling_is_asked_for

ASKING = ("timm", "torchvision")
COMPILER, UTILITIES = "torch._dynamo", "torch._dynamo.utils"


def import_lightly() -> None:
    """Let the first imports of timm and torchvision leave the compiler out, unless it is wanted."""
    if not compiling_is_asked_for():
        sys.meta_path.insert(0, _Finder())


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in ASKING:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Light(spec.loader)
        return spec


class _Light(Loader):
    """Executes a module as its own loader does, which it has again from then on."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        with _without_compiler():
            self._loader.exec_module(module)


@contextmanager
def _without_compiler() -> Iterator[None]:
    import torch.compiler

    if COMPILER in sys.modules or UTILITIES in sys.modules:
        yield
        return
    real, stand_in = torch.compiler.disable, _StandIn(UTILITIES)
    torch.compiler.disable = _undecorated  # type: ignore[assignment]
    sys.modules[UTILITIES] = stand_in
    try:
        yield
    finally:
        torch.compiler.disable = real
        if sys.modules.get(UTILITIES) is stand_in:
            del sys.modules[UTILITIES]


class _StandIn(ModuleType):
    """Is asked for names of the compiler's utilities; all but one come from the real ones."""

    @staticmethod
    def is_compile_supported(device: str) -> bool:
        """Tell what the compiler does, which is loaded for it."""
        return bool(importlib.import_module(UTILITIES).is_compile_supported(device))

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        if sys.modules.get(UTILITIES) is self:
            del sys.modules[UTILITIES]
        return getattr(importlib.import_module(UTILITIES), name)


def _undecorated(
    function: Callable[..., object] | None = None, *_: object, **__: object
) -> Callable[..., object]:
    return function if function is not None else lambda decorated: decorated
