"""Where in a file a backbone may lie: in which mapping, behind which prefix."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from torch import Tensor

SUBDICTS = ("teacher", "model_ema", "state_dict", "model", "student")
DEPTH = 3  # mappings inside mappings
WRAPPED = frozenset(  # what torch's wrappers of a module add anywhere in a name
    {"module", "_orig_mod", "_checkpoint_wrapped_module", "_fsdp_wrapped_module"}
)
PREFIXES = (  # of tools and papers, in the order of preference
    "teacher",
    "model_ema",
    "model",
    "student",
    "backbone",
    "encoder",
    "vit",
    "visual",
    "trunk",
    "dinov2",
    "dinov2_with_registers",
    "dinov3_vit",
)
Path = tuple[str, ...]


@dataclass(frozen=True)
class Layout:
    """One reading of a file.

    Attributes:
        tensors: what lies in one mapping behind one prefix, by name without both.
        rest: full names of the file's other tensors.
    """

    tensors: dict[str, Tensor]
    rest: tuple[str, ...]


def layouts(content: Mapping[object, object]) -> Iterator[Layout]:
    """Yield every reading of a file's content, the preferred ones first."""
    everything = dict(_mappings(content, ()))
    names = {path: [".".join((*path, name)) for name in held] for path, held in everything.items()}
    for path, held in everything.items():
        elsewhere = [name for other, some in names.items() if other != path for name in some]
        split = {name: _segments(name) for name in held}
        for prefix in _prefixes(split.values()):
            start = len(prefix)
            inside = {name: parts for name, parts in split.items() if parts[:start] == prefix}
            beside = [".".join((*path, name)) for name in held if name not in inside]
            tensors = {".".join(parts[start:]): held[name] for name, parts in inside.items()}
            yield Layout(tensors, (*beside, *elsewhere))


def _mappings(
    content: Mapping[object, object], path: Path
) -> Iterator[tuple[Path, dict[str, Tensor]]]:
    names = [name for name in content if isinstance(name, str)]
    inner = {name: value for name in names if isinstance(value := content[name], Mapping)}
    own = {name: value.detach() for name in names if isinstance(value := content[name], Tensor)}
    preferred = [name for name in SUBDICTS if name in inner]
    if len(path) < DEPTH:
        for name in preferred:
            yield from _mappings(inner.pop(name), (*path, name))
    if own:
        yield path, own
    if len(path) < DEPTH:
        for name, value in inner.items():
            yield from _mappings(value, (*path, name))


def _segments(name: str) -> Path:
    return tuple(part for part in name.split(".") if part not in WRAPPED)


def _prefixes(names: Iterable[Path]) -> list[Path]:
    """Return the known prefixes that names have, no prefix first."""
    found: set[Path] = {()}
    for parts in names:
        for end, part in enumerate(parts, start=1):
            if part not in PREFIXES:
                break
            found.add(parts[:end])
    return sorted(found, key=lambda prefix: [PREFIXES.index(part) for part in prefix])
