"""How sure a prediction is of each pixel, and how much its members disagree, both 0 to 1."""

import math
from dataclasses import dataclass

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


@dataclass(frozen=True)
class MemberMaps:
    """Entropy, and disagreement where there are several members, by their logits.

    Attributes:
        regions: whether each output is a region of its own.
        members: networks and mirrored copies.
    """

    regions: bool
    members: int

    @property
    def channels(self) -> int:
        """How many maps there are."""
        return 2 if self.members > 1 else 1

    def __call__(self, logits: Tensor) -> Tensor:
        """Return the maps (channels, ...) of logits (members, outputs, ...)."""
        values = torch.sigmoid(logits) if self.regions else torch.softmax(logits, dim=1)
        entropy = entropy_of(values.mean(0), regions=self.regions)
        if self.members == 1:
            return entropy[None]
        return torch.stack([entropy, disagreement_of(values, regions=self.regions)])


def _of_two(probability: Tensor) -> Tensor:
    found: Tensor = torch.special.entr(probability) + torch.special.entr(1 - probability)
    return found


def _highest(classes: int) -> float:
    return math.log(max(classes, 2))
