"""The numbers that the masks of a dataset may hold."""

from collections.abc import Iterable
from dataclasses import dataclass

from nnunet_vit.files.json_file import JsonMapping

NO_CLASSES = ("background", "ignore")


@dataclass(frozen=True)
class Labels:
    """The numbers that a mask may hold.

    Attributes:
        allowed: sorted, with the one to ignore.
        classes: names of the foreground classes or regions, by number or numbers.
        ignore: the number of the pixels that do not count, or None.
    """

    allowed: tuple[int, ...]
    classes: dict[str, tuple[int, ...]]
    ignore: int | None

    @property
    def foreground(self) -> tuple[int, ...]:
        """The allowed numbers without background and the one to ignore."""
        return tuple(value for value in self.allowed if value not in (0, self.ignore))


def labels_of(description: JsonMapping) -> Labels:
    """Return the numbers that dataset.json gives its labels: classes, or regions of several.

    Raises:
        TypeError, ValueError: a label is no number.
    """
    numbers = {
        name: tuple(int(n) for n in (label if isinstance(label, list | tuple) else [label]))
        for name, label in description["labels"].items()
        if label is not None  # nnU-Net: no label to ignore
    }
    ignore = numbers["ignore"][0] if "ignore" in numbers else None
    classes = {n: v for n, v in numbers.items() if n not in NO_CLASSES}
    allowed = sorted({number for label in numbers.values() for number in label})
    return Labels(tuple(allowed), classes, ignore)


def differing(one: JsonMapping, other: JsonMapping, keys: Iterable[str]) -> list[str]:
    """Return the keys in which two dataset.json differ; regions in another order differ too.

    Their order is that of the network's outputs.
    """
    found = [key for key in keys if one.get(key) != other.get(key)]
    regions = "regions_class_order" in one or "regions_class_order" in other
    if regions and "labels" not in found and _outputs(one) != _outputs(other):
        found.append("order of labels")
    return found


def _outputs(description: JsonMapping) -> list[str]:
    return [name for name in description["labels"] if name not in NO_CLASSES]
