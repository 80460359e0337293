"""Images that a ViT cuts into whole patches, by one rule; sizes have any number of axes."""

from collections.abc import Iterable

Size = tuple[int, ...]  # pixels or voxels, the slowest axis first


def is_multiple(size: Iterable[int], patch: int) -> bool:
    """Tell whether a ViT's patch divides each edge."""
    return all(edge % patch == 0 for edge in size)


def next_multiple(size: Iterable[int], patch: int) -> Size:
    """Return the smallest size of whole patches that holds this one."""
    return tuple(-(-edge // patch) * patch for edge in size)


def nearest_multiple(size: Iterable[int], patch: int) -> Size:
    """Return the size of whole patches that is nearest to this one."""
    return tuple(max(1, round(edge / patch)) * patch for edge in size)


def multiples_around(size: Iterable[int], patch: int) -> str:
    """Return the sizes of whole patches below and above this one, as an error offers them."""
    edges = list(size)
    smaller = [max(edge // patch, 1) * patch for edge in edges]
    return " or ".join(dict.fromkeys([str(smaller), str(list(next_multiple(edges, patch)))]))
