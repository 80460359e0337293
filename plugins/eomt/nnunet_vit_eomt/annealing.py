"""When masks leave the attention: block after block, each by a polynomial."""

from dataclasses import dataclass

POWER = 0.9  # the paper's


@dataclass(frozen=True)
class Annealing:
    """The course of a training.

    Attributes:
        start: share of the training at which the first block's masks begin to go.
        length: share of the training from there until the last block's are gone.
    """

    start: float
    length: float

    def probabilities(self, progress: float, blocks: int) -> list[float]:
        """Return with what probability a query is masked in each block.

        Args:
            progress: share of the training that is done.
            blocks: that masks are used in; the first one's go first.
        """
        span = self.length / blocks
        begins = (self.start + number * span for number in range(blocks))
        return [_left(progress - begin, span) ** POWER for begin in begins]


def _left(since: float, span: float) -> float:
    """Return the share of a block's annealing that is still to come."""
    if since < 0:
        return 1.0
    return max(0.0, 1.0 - since / span) if span else 0.0
