"""The skeleton of a map of probabilities, by opening it again and again; it has a gradient."""

from torch import Tensor
from torch.nn import functional


def soft_skeleton(maps: Tensor, iterations: int) -> Tensor:
    """Return what openings take away from a map while it is eroded that often.

    Shapes: maps (B, C, H, W) of 0 to 1, the result likewise.
    """
    smaller = _eroded(maps)
    skeleton = functional.relu(maps - _dilated(smaller))
    for _ in range(iterations):
        maps, smaller = smaller, _eroded(smaller)
        lost = functional.relu(maps - _dilated(smaller))
        skeleton = skeleton + functional.relu(lost - skeleton * lost)
    return skeleton


def _eroded(maps: Tensor) -> Tensor:
    """Return the least of the cross of five pixels."""
    down = -functional.max_pool2d(-maps, (3, 1), stride=1, padding=(1, 0))
    across = -functional.max_pool2d(-maps, (1, 3), stride=1, padding=(0, 1))
    return down.minimum(across)


def _dilated(maps: Tensor) -> Tensor:
    """Return the most of the square of nine pixels."""
    return functional.max_pool2d(maps, 3, stride=1, padding=1)
