"""Masks of one class each, which may overlap: where they do, the classes become regions.

nnU-Net stores one number per pixel. Each combination of classes that is somewhere gets a number,
and a region is all numbers whose combination holds its class.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from nnunet_vit.data.faults import Fault
from nnunet_vit.data.importing.class_options import BACKGROUND, colour_text
from nnunet_vit.data.importing.mask_pixels import MaskPixels
from nnunet_vit.data.importing.reading.pixels import UnusableError
from nnunet_vit.errors import shortened

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array


@dataclass(frozen=True)
class OverlapRule:
    """How masks of several classes become one.

    Attributes:
        labels: of dataset.json: a number, or the numbers of a region, by name.
        order: regions_class_order; None: there are no regions.
        numbers: by combination, a bit per class of `classes`.
        classes: names, the first one's bit is 1.
    """

    labels: Mapping[str, int | list[int]]
    order: tuple[int, ...] | None
    numbers: Mapping[int, int]
    classes: tuple[str, ...]

    def applied(self, masks: Mapping[str, MaskPixels], shape: Sequence[int]) -> "Array":
        """Return the labels of a case: (Z, Y, X) uint8 or uint16."""
        import numpy as np

        table = np.zeros(max(self.numbers) + 1, np.int64)
        table[list(self.numbers)] = list(self.numbers.values())
        found = table[combined(masks, self.classes, shape)]
        return found.astype(np.uint8 if max(self.numbers.values()) <= 255 else np.uint16)

    def as_text(self) -> str:
        """Return what becomes what, in words."""
        return ", ".join(
            f"{' and '.join(names_in(bits, self.classes)) or 'none'} becomes {number}"
            for bits, number in sorted(self.numbers.items())
        )


def names_in(bits: int, classes: Sequence[str]) -> list[str]:
    """Return the names of a combination."""
    return [name for place, name in enumerate(classes) if bits >> place & 1]


def combined(
    masks: Mapping[str, MaskPixels], classes: Sequence[str], shape: Sequence[int]
) -> "Array":
    """Return the combination of classes of each pixel: (Z, Y, X) int64.

    Args:
        masks: by class; one that is missing is empty.
        classes: the first one's bit is 1.
        shape: of the case.
    """
    import numpy as np

    bits = np.zeros(tuple(shape), np.int64)
    for place, name in enumerate(classes):
        if name in masks:
            bits |= masks[name].foreground().astype(np.int64) << place
    return bits


def check_binary(mask: MaskPixels) -> None:
    """Refuse a mask of one class that holds more than one value beside 0.

    Raises:
        UnusableError: it does.
    """
    import numpy as np

    values = np.unique(mask.keys)
    used = mask.used()
    if used:
        numbers, colours = len(used), set(used.values())
        if len(colours) < numbers or len(colours - {0}) > 1:
            what = shortened((f"{number} {colour_text(c)}" for number, c in used.items()), 5)
            raise UnusableError(
                f"holds the colours {what} of a palette; a mask of one class holds black and one "
                "colour",
                "a palette that begins with black",
            )
        return
    if mask.coloured or len(values[values != 0]) > 1:
        what = "colours" if mask.coloured else f"{shortened(map(str, values.tolist()), 5)}"
        raise UnusableError(f"holds {what}; a mask of one class holds 0 and one value", "")


def overlap_rule(
    classes: Sequence[str], counts: Mapping[int, int]
) -> tuple[OverlapRule | None, list[Fault]]:
    """Return the rule for combinations that were found, or what is wrong with them.

    Args:
        classes: the first one's bit is 1.
        counts: pixels by combination.
    """
    there = [bits for bits in counts if bits]
    never = [name for place, name in enumerate(classes) if not any(b >> place & 1 for b in there)]
    if never:
        fix = "leave these classes out."
        return None, [Fault(f"No mask of {', '.join(never)} has a pixel.", fix)]
    if not any(bits & (bits - 1) for bits in there):
        labels = {name: number for number, name in enumerate(classes, 1)}
        numbers = {0: 0, **{1 << n: n + 1 for n in range(len(classes))}}
        return OverlapRule({BACKGROUND: 0, **labels}, None, numbers, tuple(classes)), []
    same = [
        f"{classes[first]} and {classes[second]}"
        for first, second in combinations(range(len(classes)), 2)
        if all((bits >> first & 1) == (bits >> second & 1) for bits in there)
    ]
    if same:
        return None, [Fault(f"{'; '.join(same)}: the same pixels in all cases.", "one of the two.")]
    return _regions(classes, counts), []


def _regions(classes: Sequence[str], counts: Mapping[int, int]) -> OverlapRule:
    """Return the rule of regions; larger ones first, so that smaller ones are drawn over them."""
    sizes = [sum(n for bits, n in counts.items() if bits >> p & 1) for p in range(len(classes))]
    ordered = sorted(range(len(classes)), key=lambda place: -sizes[place])
    there = sorted(bits for bits in counts if bits)
    numbers = {0: 0, **{bits: number for number, bits in enumerate(there, 1)}}
    labels: dict[str, int | list[int]] = {BACKGROUND: 0}
    order = []
    for rank, place in enumerate(ordered):
        own = [bits for bits in there if bits >> place & 1]
        labels[classes[place]] = [numbers[bits] for bits in own]
        later = sum(1 << other for other in ordered[rank + 1 :])
        drawn = min(own, key=lambda bits: ((bits & later).bit_count(), -counts[bits]))
        order.append(numbers[drawn])
    return OverlapRule(labels, tuple(order), numbers, tuple(classes))


def partly_overlapping(rule: OverlapRule) -> list[str]:
    """Return the pairs of regions neither of which lies in the other, in words."""
    there = [bits for bits in rule.numbers if bits]
    found = []
    for first, second in combinations(range(len(rule.classes)), 2):
        kinds = {(bits >> first & 1, bits >> second & 1) for bits in there}
        if {(1, 1), (1, 0), (0, 1)} <= kinds:
            found.append(f"{rule.classes[first]} and {rule.classes[second]}")
    return found


def added(counts: Iterable[Mapping[int, int]]) -> dict[int, int]:
    """Return the sums of counts by key."""
    total: dict[int, int] = {}
    for each in counts:
        for key, number in each.items():
            total[key] = total.get(key, 0) + number
    return total
