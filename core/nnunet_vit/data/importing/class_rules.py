"""Which number each value or colour of the masks becomes, and what dataset.json says of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nnunet_vit.data.faults import Fault
from nnunet_vit.data.importing.class_options import (
    BACKGROUND,
    IGNORE,
    ClassOptions,
    colour_text,
)
from nnunet_vit.data.importing.mask_pixels import MaskPixels
from nnunet_vit.errors import shortened

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array

MOST = 12  # values that are named in an error
WHITE = 255


@dataclass(frozen=True)
class ClassRule:
    """How the masks become labels.

    Attributes:
        labels: of dataset.json: number by name.
        numbers: number of the label by value, or by colour.
        coloured: whether by colour.
        greys: whether the values of a palette are its greys, not its numbers.
    """

    labels: Mapping[str, int]
    numbers: Mapping[int, int]
    coloured: bool = False
    greys: bool = False

    @property
    def keeps(self) -> bool:
        """Whether every value stays what it is."""
        return not self.coloured and all(old == new for old, new in self.numbers.items())

    def applied(self, mask: MaskPixels) -> "Array":
        """Return the labels of a mask, whose values are all known: (Z, Y, X) uint8 or uint16."""
        import numpy as np

        keys = np.array(sorted(self.numbers))
        highest = max(self.numbers.values())
        known = np.array([self.numbers[key] for key in keys.tolist()])
        values = mask.by_grey() if self.greys else mask.keys
        found = known[np.searchsorted(keys, mask.by_colour() if self.coloured else values)]
        return found.astype(np.uint8 if highest <= WHITE else np.uint16)

    def as_text(self) -> str:
        """Return what becomes what, in words."""
        name_of = {number: name for name, number in self.labels.items()}
        return ", ".join(
            f"{key_text(key, self.coloured)} becomes {number} ({name_of[number]})"
            for key, number in sorted(self.numbers.items())
        )


def key_text(key: int, coloured: bool) -> str:
    """Return a value or a colour as --label takes it."""
    return colour_text(key) if coloured else str(key)


def said_rule(options: ClassOptions) -> ClassRule:
    """Return the rule that --label says; values that are 1 to n already keep their numbers."""
    said = options.said
    coloured = bool(options.colours)
    labels = {BACKGROUND: 0}
    foreground = [key for key, name in said.items() if name in options.names]
    as_they_are = not coloured and sorted(foreground) == list(range(1, len(options.names) + 1))
    if as_they_are:
        labels |= {said[key]: key for key in sorted(foreground)}
    else:
        labels |= {name: number for number, name in enumerate(options.names, 1)}
    if IGNORE in said.values():
        labels[IGNORE] = len(labels)
    numbers = {key: labels[name] for key, name in said.items()}
    if BACKGROUND not in said.values():
        numbers.setdefault(0, 0)
    return ClassRule(labels, numbers, coloured)


def found_rule(values: Iterable[int]) -> ClassRule | Fault:
    """Return the rule of masks of which nothing is said: 0 and 255, or 0 to n.

    Args:
        values: of all masks together.
    """
    there = sorted(set(values))
    foreground = [value for value in there if value]
    if there == [0, WHITE] or there == [0, 1]:
        return ClassRule({BACKGROUND: 0, "foreground": 1}, {0: 0, foreground[0]: 1})
    if foreground == list(range(1, len(foreground) + 1)) and 0 in there and foreground:
        labels = {BACKGROUND: 0, **{f"class_{value}": value for value in foreground}}
        return ClassRule(labels, {value: value for value in there})
    return Fault(
        f"The masks hold the values {shortened(map(str, there), MOST)}: which are they?",
        suggestion(there, coloured=False),
    )


def suggestion(keys: Sequence[int], *, coloured: bool) -> str:
    """Return the --label that names all values or colours."""
    shown = [key for key in keys if key][:MOST]
    names = " ".join(
        f"class_{number}={_quoted(key_text(key, coloured))}" for number, key in enumerate(shown, 1)
    )
    zero = "" if 0 in keys else f"; background={key_text(0, coloured)} is nowhere: name one"
    more = " …" if len([key for key in keys if key]) > MOST else ""
    if not names:
        return "masks with a class in them."
    return f"name them, like --label {names}{more}, background and ignore among them{zero}."


def _quoted(text: str) -> str:
    return f"'{text}'" if text.startswith("#") else text
