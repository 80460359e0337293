"""Weights of classes from how many pixels each has."""

import math
from collections.abc import Mapping


def balanced(shares: Mapping[str, float]) -> dict[str, float]:
    """Return 1 / sqrt(share) of each class, scaled to a mean of 1.

    The square root keeps rare classes from drowning all others. A class without a pixel cannot be
    weighed: it has 1.

    Args:
        shares: of the pixels, from 0 to 1, by class.
    """
    raw = {name: 1 / math.sqrt(share) for name, share in shares.items() if share > 0}
    scale = len(raw) / sum(raw.values()) if raw else 1.0
    return {name: scale * raw[name] if name in raw else 1.0 for name in shares}
