"""How sure a prediction is of each pixel, and how much its members disagree, both 0 to 1."""

import math
from collections.abc import Callable

import torch
from torch import Tensor


def entropy_of(probabilities: Tensor, *, regions: bool) -> Tensor:
    """Return the entropy of each pixel as a share of the highest that there can be.

    Args:
        probabilities: of the classes, which add up to 1, or of regions, each by itself.
        regions: which of the two; of regions it is the mean of each one's entropy, yes or no.

    Shapes: (outputs, ...) to (...).
    """
    if regions:
        return _of_two(probabilities).mean(0) / math.log(2)
    summed: Tensor = torch.special.entr(probabilities).sum(0)
    return summed / _highest(len(probabilities))


def disagreement_of(probabilities: Tensor, *, regions: bool) -> Tensor:
    """Return how much members disagree: the mutual information of output and member.

    It is the entropy of their mean probabilities less the mean of their entropies: 0 where all say
    the same, however unsure they are; 1 where each is sure of a class of its own.

    Args:
        probabilities: of each member, as of `entropy_of`.
        regions: likewise.

    Shapes: (members, outputs, ...) to (...).
    """
    own = [entropy_of(member, regions=regions) for member in probabilities]
    together = entropy_of(probabilities.mean(0), regions=regions)
    return (together - torch.stack(own).mean(0)).clamp(0, 1)


def spread_of(regions: bool) -> Callable[[Tensor], Tensor]:
    """Return the disagreement as a function of the members' logits (members, outputs, ...)."""

    def spread(logits: Tensor) -> Tensor:
        values = torch.sigmoid(logits) if regions else torch.softmax(logits, dim=1)
        return disagreement_of(values, regions=regions)

    return spread


class GrowingEntropy:
    """The entropy of outputs that come one after the other: never all of them in memory."""

    def __init__(self, regions: bool) -> None:
        """Start without any output."""
        self._regions, self._count = regions, 0
        self._highest = self._total = self._weighted = torch.empty(0)

    def add(self, logits: Tensor) -> None:
        """Add the logits (...) of the next output, in single precision."""
        if self._regions:
            own = _of_two(torch.sigmoid(logits))
            self._total = self._total + own if self._count else own
        elif not self._count:
            self._highest = logits.clone()
            self._total, self._weighted = torch.ones_like(logits), torch.zeros_like(logits)
        else:
            self._add_class(logits)
        self._count += 1

    def _add_class(self, logits: Tensor) -> None:
        """Keep sums of exp(x) and x exp(x), both relative to the highest x so far."""
        highest = torch.maximum(self._highest, logits)
        fallen, below = self._highest - highest, logits - highest
        shrunk, new = fallen.exp(), below.exp()
        self._weighted = (self._weighted + fallen * self._total) * shrunk + below * new
        self._total = self._total * shrunk + new
        self._highest = highest

    def result(self) -> Tensor:
        """Return the entropy (...), 0 to 1."""
        if self._regions:
            return (self._total / (self._count * math.log(2))).clamp(0, 1)
        entropy = self._total.log() - self._weighted / self._total
        return (entropy / _highest(self._count)).clamp(0, 1)


def _of_two(probability: Tensor) -> Tensor:
    found: Tensor = torch.special.entr(probability) + torch.special.entr(1 - probability)
    return found


def _highest(classes: int) -> float:
    return math.log(max(classes, 2))
