"""Which part of a file is meant: the one whose names and shapes the backbone knows best."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from nnunet_vit.modeling.weights.foreign import translated_by_timm
from nnunet_vit.modeling.weights.harmless import may_be_missing
from nnunet_vit.modeling.weights.layouts import layouts
from nnunet_vit.modeling.weights.naming import named_as_backbone


@dataclass(frozen=True)
class Reading:
    """A file as a backbone understands it.

    Attributes:
        tensors: of one part of the file, by the backbone's names where they have one.
        rest: full names of the tensors in the file's other parts.
        resized: names of tensors that already have the backbone's size.
    """

    tensors: dict[str, Tensor]
    rest: tuple[str, ...]
    resized: frozenset[str] = frozenset()


def best_reading(content: Mapping[object, object], model: nn.Module) -> Reading | None:
    """Return the reading that covers the most of a backbone; of equal ones the first.

    None where the content holds no tensors at all.
    """
    own = model.state_dict()
    best, best_score = None, (-1, -1)
    for layout in layouts(content):
        reading = Reading(named_as_backbone(layout.tensors, model), layout.rest)
        if (score := _score(reading.tensors, own)) > best_score:
            best, best_score = reading, score
    if best is None or all(name in best.tensors or may_be_missing(name) for name in own):
        return best
    for layout in layouts(content):
        tensors, resized = translated_by_timm(layout.tensors, model)
        if (score := _score(tensors, own)) > best_score:
            best, best_score = Reading(tensors, layout.rest, resized), score
    return best


def _score(tensors: dict[str, Tensor], own: dict[str, Tensor]) -> tuple[int, int]:
    named = [name for name in own if name in tensors]
    return sum(tensors[name].shape == own[name].shape for name in named), len(named)
