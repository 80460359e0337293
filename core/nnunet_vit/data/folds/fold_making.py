"""Even folds of whole groups, with or without the classes balanced over them.

The same groups give the same folds in any order of the files. Validation sets differ by one group
at most, the largest: each group goes where that stays true, to begin with to the smallest fold.
"""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence

from nnunet_vit.data.splits import USUAL_FOLDS, Split

Amounts = Mapping[str, Sequence[float]]  # of each class, by group or by case
Places = dict[str, int]  # the fold that each group validates in


def splits_of_groups(groups: Mapping[str, str], amounts: Amounts | None = None) -> list[Split]:
    """Return five folds in which no group is on two sides.

    Args:
        groups: of each case; at least five.
        amounts: how much of each class a case has; None: classes do not count.
    """
    sizes: dict[str, int] = defaultdict(int)
    for group in groups.values():
        sizes[group] += 1
    places = even_places(sizes)
    if amounts is not None:
        summed = _summed(groups, amounts)
        balanced = balanced_places(sizes, summed)
        if imbalance(balanced, summed) < imbalance(places, summed):
            places = balanced
    sides: list[Split] = [{"train": [], "val": []} for _ in range(USUAL_FOLDS)]
    for case in sorted(groups):
        for fold, split in enumerate(sides):
            split["val" if fold == places[groups[case]] else "train"].append(case)
    return sides


def even_places(sizes: Mapping[str, int], folds: int = USUAL_FOLDS) -> Places:
    """Return the fold of each group: the largest first, each to the smallest fold so far.

    Args:
        sizes: the cases of each group.
        folds: how many.
    """
    filled = [0] * folds
    places: Places = {}
    for group in sorted(sizes, key=lambda name: (-sizes[name], _drawn(name))):
        places[group] = fold = filled.index(min(filled))
        filled[fold] += sizes[group]
    return places


def balanced_places(sizes: Mapping[str, int], amounts: Amounts, folds: int = USUAL_FOLDS) -> Places:
    """Return the fold of each group so that each fold has its share of each class.

    Groups with the rarest class come first, as in Sechidis et al. 2011, each where that group's
    classes are scarcest.

    Args:
        sizes: the cases of each group.
        amounts: of each class in each group.
        folds: how many.
    """
    totals = _totals(amounts)
    shares = {name: [a / (t or 1) for a, t in zip(amounts[name], totals, strict=True)]
              for name in sizes}  # fmt: skip
    filled, largest = [0] * folds, max(sizes.values())
    have = [[0.0] * len(totals) for _ in range(folds)]
    places: Places = {}
    order = sorted(sizes, key=lambda name: (-max(shares[name], default=0), _drawn(name)))
    for done, group in enumerate(order):
        empty = [fold for fold in range(folds) if not filled[fold]]
        open_to = [f for f in range(folds) if filled[f] + sizes[group] - min(filled) <= largest]
        if len(order) - done <= len(empty):  # every fold validates something
            open_to = empty
        own = shares[group]
        cost = {f: sum(x * y for x, y in zip(have[f], own, strict=True)) for f in open_to}
        places[group] = fold = min(open_to, key=lambda f: (round(cost[f], 12), filled[f], f))
        filled[fold] += sizes[group]
        have[fold] = [x + y for x, y in zip(have[fold], own, strict=True)]
    return places


def imbalance(places: Places, amounts: Amounts, folds: int = USUAL_FOLDS) -> float:
    """Return how far folds are from an equal share of each class: 0 where all are alike.

    It is the sum, over folds and classes, of the squared difference from the equal share.
    """
    totals = _totals(amounts)
    have = [[0.0] * len(totals) for _ in range(folds)]
    for group, fold in places.items():
        have[fold] = [x + y for x, y in zip(have[fold], amounts[group], strict=True)]
    return sum(
        (amount / total - 1 / folds) ** 2
        for one in have
        for amount, total in zip(one, totals, strict=True)
        if total
    )


def _totals(amounts: Amounts) -> list[float]:
    return [
        sum(column) for column in zip(*(amounts[name] for name in sorted(amounts)), strict=True)
    ]


def _summed(groups: Mapping[str, str], amounts: Amounts) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for case in sorted(groups):
        before = found.get(groups[case], [0.0] * len(amounts[case]))
        found[groups[case]] = [x + y for x, y in zip(before, amounts[case], strict=True)]
    return found


def _drawn(name: str) -> bytes:
    """Return what orders groups of one size: names often tell the site or the date."""
    return hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()
