"""Where in a file a backbone may lie: behind which prefix, found from the names in the file."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from nnunet_vit.modeling.weights.files.placeholders import OddTensor, Placeholder

DEPTH = 24  # mappings inside mappings: a whole network that was pickled has one per module
NEAR = 3  # mappings inside mappings, where lists are looked for
OFTEN = 8  # the same mapping in a file, which may even hold itself
WRAPPED = frozenset(  # what torch's and peft's wrappers of a module add anywhere in a name
    {"module", "_orig_mod", "_checkpoint_wrapped_module", "_fsdp_wrapped_module", "base_layer"}
)
# names of the layer that cuts an image into patches; what stands before one is a prefix
STEMS = re.compile(
    r"(?P<prefix>(?:.*\.)?)(?:"
    r"patch_embed\.proj\.(?:0\.0\.)?weight|patch_embed\.projection\.weight|embeds\.proj\.weight"
    r"|embeddings\.patch_embeddings?\.(?:projection\.)?weight|conv_proj\.weight"
    r"|ln_pre\.weight|(?<!embeddings\.)class_embedding"
    r"|preprocessor\.patchifier\.proj\.weight|beit3\.vision_embed\.proj\.weight"
    r"|embedding\.kernel)"
)
# names of a first block, and of tokens: looked at where a file has no such layer
BLOCKS = re.compile(
    r"(?P<prefix>(?:.*?\.)?)(?:blocks\.0\..*|encoder\.layers?\.0\..*|layers?\.0\..*"
    r"|encoder\.layers\.encoder_layer_0\..*|transformer\.resblocks\.0\..*|cls_token|pos_embed)"
)
Path = tuple[str, ...]


@dataclass(frozen=True)
class Layout:
    """One reading of a file.

    Attributes:
        prefix: what stands before the names of these tensors, mappings included.
        tensors: what lies behind the prefix, by name without it.
        rest: full names of the file's other tensors.
        odd: kinds of the tensors there that have no plain values, by name without the prefix.
    """

    prefix: Path
    tensors: dict[str, Tensor]
    rest: tuple[str, ...]
    odd: dict[str, str]

    @property
    def label(self) -> str:
        """The prefix for people."""
        return ".".join(self.prefix) or "."


def layouts(content: Mapping[object, object]) -> list[Layout]:
    """Return every part of a file that may be a ViT, or else the file as a whole."""
    everything = dict(_flat(content, (), Counter()))
    paths = _unwrapped(list(everything))
    names = [".".join(path) for path in paths.values()]
    stems = _prefixes(names, STEMS)
    prefixes = stems or _prefixes(names, BLOCKS) or [()]
    return [_layout(everything, paths, prefix, networks=stems) for prefix in prefixes]


def above(layout: Layout, content: Mapping[object, object]) -> list[Layout]:
    """Return the part that a layout lies in, and the part which that lies in: wider readings."""
    everything = dict(_flat(content, (), Counter()))
    paths = _unwrapped(list(everything))
    start = len(layout.prefix)
    return [_layout(everything, paths, layout.prefix[:end]) for end in range(start, -1, -1)[1:3]]


def _layout(
    everything: dict[Path, object],
    paths: dict[Path, Path],
    prefix: Path,
    *,
    networks: Sequence[Path] = (),
) -> Layout:
    """Cut out what lies behind a prefix, without the other networks that lie there too."""
    start = len(prefix)
    others = [path for path in networks if len(path) > start and path[:start] == prefix]
    inside = {
        full: path[start:]
        for full, path in paths.items()
        if path[:start] == prefix and not any(path[: len(other)] == other for other in others)
    }
    found = {".".join(path): everything[full] for full, path in inside.items()}
    rest = [full for full in paths if full not in inside]
    rest.sort(key=lambda full: paths[full][:1] != prefix[:1])  # those beside it come first
    return Layout(
        prefix,
        {name: value for name, value in found.items() if isinstance(value, Tensor)},
        tuple(".".join(full) for full in rest),
        {name: value.kind for name, value in found.items() if isinstance(value, OddTensor)},
    )


def _flat(
    content: Mapping[object, object], path: Path, seen: Counter[int]
) -> Iterator[tuple[Path, object]]:
    """Yield every tensor with its full name; mappings of mappings are joined by dots."""
    for name, value in content.items():
        if not isinstance(name, str):
            continue
        inner = value.content() if isinstance(value, Placeholder) else value
        if isinstance(inner, Tensor):
            yield (*path, *name.split(".")), inner.detach()
        elif isinstance(inner, OddTensor):
            yield (*path, *name.split(".")), inner
        elif isinstance(inner, Mapping) and len(path) < DEPTH and seen[id(value)] < OFTEN:
            seen[id(value)] += 1
            yield from _flat(inner, (*path, *name.split(".")), seen)


def lists_of_tensors(content: Mapping[object, object]) -> Iterator[tuple[Path, int]]:
    """Yield the way to every list of tensors that lies near the top, and how many it holds."""
    seen: set[int] = set()  # a mapping may hold itself, often
    waiting: list[tuple[Path, object]] = [((), content)]
    for way, value in waiting:
        inner = value.content() if isinstance(value, Placeholder) else value
        if id(inner) in seen:
            continue
        if isinstance(inner, Mapping) and len(way) < NEAR:
            seen.add(id(inner))
            waiting += [((*way, str(name)), inside) for name, inside in inner.items()]
        elif isinstance(inner, list | tuple) and inner:
            seen.add(id(inner))
            if all(isinstance(one, Tensor) for one in inner):
                yield way, len(inner)


def _unwrapped(paths: list[Path]) -> dict[Path, Path]:
    """Return each name without wrappers; as it is in the file, where two would become one."""
    plain = {path: tuple(part for part in path if part not in WRAPPED) for path in paths}
    return plain if len(set(plain.values())) == len(paths) else {path: path for path in paths}


def _prefixes(names: list[str], marks: re.Pattern[str]) -> list[Path]:
    found = dict.fromkeys(match["prefix"] for name in names if (match := marks.fullmatch(name)))
    return [tuple(prefix.split(".")[:-1]) for prefix in found]
