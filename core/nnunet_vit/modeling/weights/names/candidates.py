"""Which part of a file is meant: the one whose names and shapes the backbone knows best."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from nnunet_vit.errors import ModelError
from nnunet_vit.modeling.weights.files.unreadable import no_mapping
from nnunet_vit.modeling.weights.names.copies import (
    SWAPPED,
    average_level,
    chosen,
    is_of_training,
    preferred,
)
from nnunet_vit.modeling.weights.names.ignored_keys import may_be_missing
from nnunet_vit.modeling.weights.names.key_mapping import named_as_backbone
from nnunet_vit.modeling.weights.names.layouts import Layout, above, layouts, lists_of_tensors
from nnunet_vit.modeling.weights.names.timm_filter import translated_by_timm
from nnunet_vit.modeling.weights.shapes.sizes import can_be_resized

Tensors = dict[str, Tensor]


@dataclass(frozen=True)
class Reading:
    """A file as a backbone understands it.

    Attributes:
        tensors: of one part of the file, by the backbone's names where they have one.
        rest: full names of the tensors in the file's other parts.
        resized: names of tensors that already have the backbone's size.
        layout: the part of the file.
        notes: sentences about what was chosen.
    """

    tensors: Tensors
    rest: tuple[str, ...]
    resized: frozenset[str]
    layout: Layout
    notes: tuple[str, ...] = ()


def best_reading(
    content: Mapping[object, object],
    model: nn.Module,
    key: str | None = None,
    *,
    path: Path = Path("the file"),
) -> Reading:
    """Return the reading that covers the most of a backbone; of equal ones the averaged one.

    Args:
        content: of the file.
        model: the backbone.
        key: prefix or mapping of the part that is meant; None: any.
        path: of the file, for messages.

    Raises:
        ConfigError: the file has nothing behind the key.
        ModelError: several parts fit alike, and none of them is known to be the better.
    """
    parts = layouts(content)
    if not any(part.tensors or part.odd for part in parts):
        raise no_mapping(path)
    weights = [part for part in parts if not is_of_training(part.prefix)]
    if not weights:
        raise ModelError(
            f"{path} holds no weights, only the state of an optimizer or gradients: "
            f"{parts[0].label}.",
            fix="give the file that holds the trained weights.",
        )
    parts = weights
    notes: tuple[str, ...] = ()
    if key is not None:
        wanted = chosen([part.prefix for part in parts], key, path)
        parts = [part for part in parts if part.prefix in wanted]
        notes = (f"{parts[0].label} is taken, as model.checkpoint_key says",)
    readings = [_reading(part, content, model) for part in parts]
    own = model.state_dict()
    scores = [_score(reading.tensors, own) for reading in readings]
    most = max(scores)
    best = [reading for reading, score in zip(readings, scores, strict=True) if score == most]
    best = _without_repetitions(best)
    if len(best) == 1:
        notes = notes or _note_of_lesser_average(best[0], readings, scores)
        notes = (*notes, *_note_of_undotted(best[0]), *_note_of_list(best[0], content))
        return replace(best[0], notes=notes)
    swapped = ".".join(SWAPPED) in readings[0].rest
    copies = [(reading.layout.prefix, reading) for reading in best]
    taken, sentence = preferred(copies, swapped, path)
    return replace(taken, notes=(sentence,))


def _reading(layout: Layout, content: Mapping[object, object], model: nn.Module) -> Reading:
    """Read one part by its names, or as timm translates it, whichever covers more."""
    own = model.state_dict()
    names = named_as_backbone(layout.tensors, model)
    reading = Reading(names, layout.rest, frozenset(), layout)
    if all(name in names or may_be_missing(name) for name in own):
        return reading
    best, best_score = reading, _score(names, own)
    for part in (layout, *above(layout, content)):
        tensors, resized = translated_by_timm(part.tensors, model)
        if (score := _score(tensors, own)) > best_score:
            best, best_score = Reading(tensors, part.rest, resized, layout), score
    return best


def _score(tensors: Tensors, own: Tensors) -> tuple[int, int]:
    """Count the tensors that fit, whatever their sizes where these can be adapted."""
    named = [name for name in own if name in tensors and not may_be_missing(name)]
    fitting = [name for name in named if _fits(name, tensors[name], own[name])]
    return len(fitting), len(named)


def _fits(name: str, tensor: Tensor, own: Tensor) -> bool:
    return tensor.shape == own.shape or can_be_resized(name, tensor, own)


def _without_repetitions(readings: Sequence[Reading]) -> list[Reading]:
    """Leave out what is the same network once more, tensor by tensor."""
    different: list[Reading] = []
    for reading in readings:
        if not any(_same(reading.tensors, other.tensors) for other in different):
            different.append(reading)
    return different


def _same(tensors: Tensors, others: Tensors) -> bool:
    return tensors.keys() == others.keys() and all(
        tensor.dtype == others[name].dtype and torch.equal(tensor, others[name])
        for name, tensor in tensors.items()
    )


def _note_of_lesser_average(
    taken: Reading, readings: Sequence[Reading], scores: Sequence[tuple[int, int]]
) -> tuple[str, ...]:
    """Say where the averaged copy is not taken because it holds less than another."""
    level = average_level(taken.layout.prefix)
    lesser = [
        reading.layout.label
        for reading, score in zip(readings, scores, strict=True)
        if average_level(reading.layout.prefix) > level and score[0] * 2 >= max(scores)[0] > 0
    ]
    taken_label = taken.layout.label
    return tuple(f"{taken_label} is taken: {one}, an average, holds less" for one in lesser[:1])


def _note_of_undotted(taken: Reading) -> tuple[str, ...]:
    """Say where an average lies beside, under names without dots as LitEma writes them."""
    wanted = {name.replace(".", "") for name in taken.layout.tensors if "." in name}
    for name in taken.rest:
        parts = tuple(name.split("."))
        if average_level(parts[:-1]) > 0 and parts[-1] in wanted:
            label, other = taken.layout.label, ".".join(parts[:-1])
            return (f"{label} is taken: {other}, an average, has names without dots",)
    return ()


def _note_of_list(taken: Reading, content: Mapping[object, object]) -> tuple[str, ...]:
    """Say where an average lies beside as a list without names, as torch_ema writes it."""
    if average_level(taken.layout.prefix) > 0:
        return ()
    for way, number in lists_of_tensors(content):
        if average_level(way) > 0 and number * 2 >= len(taken.tensors):
            label, other = taken.layout.label, ".".join(way)
            return (f"{label} is taken: {other}, an average, is a list without names",)
    return ()
