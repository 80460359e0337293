"""What --label says: which value or colour of the masks is which class."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from nnunet_vit.errors import ConfigError

BACKGROUND, IGNORE = "background", "ignore"
COLOUR = re.compile(r"#([0-9a-fA-F]{6})")
FORM = "--label NAME=VALUE, like vessel=255, or NAME=#RRGGBB, like disc=#00ff00."


@dataclass(frozen=True)
class ClassOptions:
    """Which values are which class.

    Attributes:
        numbers: class by value; empty where colours are said, or nothing.
        colours: class by colour, as 0xRRGGBB; likewise.
    """

    numbers: dict[int, str]
    colours: dict[int, str]

    @property
    def said(self) -> dict[int, str]:
        """The classes by value or by colour, whichever is said."""
        return self.colours or self.numbers

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all classes but background and ignore, as they were said first."""
        names = dict.fromkeys(self.said.values())
        return tuple(name for name in names if name not in (BACKGROUND, IGNORE))


def parsed_labels(texts: Sequence[str]) -> ClassOptions:
    """Return what the values of --label say.

    Raises:
        ConfigError: one is no NAME=VALUE, two say different things of one value, numbers and
            colours are mixed, or no class but the background is named; all problems are named.
    """
    numbers: dict[int, str] = {}
    colours: dict[int, str] = {}
    problems = []
    for text in texts:
        name, _, value = (part.strip() for part in text.partition("="))
        colour = COLOUR.fullmatch(value)
        if not name or (colour is None and not re.fullmatch(r"-?\d+", value)):
            problems.append(f"'{text}' is no NAME=VALUE")
            continue
        known, key = (colours, int(colour[1], 16)) if colour else (numbers, int(value))
        if known.setdefault(key, name) != name:
            problems.append(f"{value} is {known[key]} and {name}")
    if numbers and colours:
        problems.append("values and colours are mixed; a value v is the colour #vvvvvv")
    found = ClassOptions(numbers, colours)
    if texts and not problems and not found.names:
        problems.append("no class but the background")
    if problems:
        raise ConfigError(f"--label: {'; '.join(problems)}.", fix=FORM)
    return found


def colour_text(colour: int) -> str:
    """Return a colour as it is written: #00ff00."""
    return f"#{colour:06x}"
