"""Patterns that tell case, channel and class of a file by its name."""

import re
from dataclasses import dataclass
from pathlib import Path

from nnunet_vit.data.case_files import CHANNEL
from nnunet_vit.data.naming import ending_of
from nnunet_vit.errors import ConfigError

CASE, NUMBER, CLASS, GROUP = "case", "channel", "label", "group"


@dataclass(frozen=True)
class Named:
    """What a file's name says.

    Attributes:
        case: name of the case.
        channel: what the channels are sorted by; empty: the only one.
        label: name of the class that the mask is of; empty: of all.
        file: the file, or the folder of a DICOM series.
    """

    case: str
    channel: str
    label: str
    file: Path


def checked_pattern(text: str, option: str, main: str, others: tuple[str, ...] = ()) -> str:
    """Return a pattern whose main group has its name.

    Args:
        text: a regular expression with one group, or with named ones.
        option: that gave it.
        main: name of the group that must be there.
        others: names of groups that may be.

    Raises:
        ConfigError: it is no regular expression, or its groups are others.
    """
    allowed = f"one group (…), or (?P<{main}>…){''.join(f', (?P<{each}>…)' for each in others)}"
    try:
        expression = re.compile(text)
    except re.error as error:
        raise ConfigError(
            f"{option} {text!r} is no regular expression: {error}.", fix=allowed
        ) from error
    names = set(expression.groupindex)
    if not names and expression.groups == 1:
        at = next(found.start() for found in re.finditer(r"\\.|\((?!\?)", text) if found[0] == "(")
        return f"{text[:at]}(?P<{main}>{text[at + 1 :]}"
    if main not in names or names - {main, *others}:
        groups = ", ".join(sorted(names)) or f"{expression.groups} without a name"
        raise ConfigError(f"{option} {text!r}: its groups are {groups}.", fix=allowed)
    return text


def stem_of(path: Path) -> str:
    """Return the name of a file without its ending; of a folder, all of it."""
    return path.name if path.is_dir() else path.name.removesuffix(ending_of(path.name))


def by_stem(path: Path) -> Named:
    """Return what a name says whose stem is the case."""
    return Named(stem_of(path), "", "", path)


def by_number(path: Path) -> Named | None:
    """Return what a name says that ends in the four digits of a channel; None without."""
    match = CHANNEL.fullmatch(stem_of(path))
    return None if match is None else Named(match["case"], match["channel"], "", path)


def by_pattern(path: Path, pattern: str) -> Named | None:
    """Return what a pattern finds in a file's name; None where it finds nothing."""
    match = re.search(pattern, path.name)
    if match is None or not match[CASE]:
        return None
    found = match.groupdict()
    channel, label = found.get(NUMBER) or "", found.get(CLASS) or ""
    ordered = f"{int(channel):09}" if channel.isdecimal() else channel
    return Named(match[CASE], ordered, label, path)
