"""The numbers that the masks of a dataset may hold."""

from dataclasses import dataclass

from nnunet_vit.files.json_file import JsonMapping


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
    classes = {n: v for n, v in numbers.items() if n not in {"background", "ignore"}}
    allowed = sorted({number for label in numbers.values() for number in label})
    return Labels(tuple(allowed), classes, ignore)
