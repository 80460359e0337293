"""Channels by their names: numbers that are channels, and cases with other channels than most."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from nnunet_vit.data.faults import Fault
from nnunet_vit.data.importing.name_patterns import Named, by_number, by_stem
from nnunet_vit.data.naming import SHOWN
from nnunet_vit.errors import shortened

FIRST = "0000"


def numbers_are_channels(files: Sequence[Path], masked: set[str]) -> bool:
    """Tell whether the numbers at the ends of training images are channels, as in nnU-Net.

    They are where masks have the names without them, or where each case begins with 0000; else
    they may count frames.

    Args:
        files: the images.
        masked: the names of cases, of the masks.
    """
    numbered = [each for each in map(by_number, files) if each is not None]
    if len(numbered) < len(files) or {by_stem(file).case for file in files} & masked:
        return False
    cases = {each.case for each in numbered}
    return cases <= masked or cases == {each.case for each in numbered if each.channel == FIRST}


def channel_faults(parts: Iterable[Mapping[str, Sequence[Named]]]) -> list[Fault]:
    """Return the cases whose channels are not those of most cases.

    Args:
        parts: the images of each case, by its name; of training first.
    """
    named = [item for part in parts for item in part.items()]
    cases: dict[frozenset[str], list[str]] = {}
    for case, files in named:
        cases.setdefault(frozenset(each.channel for each in files), []).append(case)
    if len(cases) < 2:
        return []
    counts = Counter({channels: len(names) for channels, names in cases.items()})
    usual = counts.most_common(1)[0][0]
    return [
        Fault(
            f"Channels of {shortened(names, SHOWN)}: {_text(channels)}; "
            f"of {counts[usual]} cases: {_text(usual)}.",
            "the same channels for every case; a pattern where a number is no channel.",
        )
        for channels, names in cases.items()
        if channels != usual
    ]


def _text(channels: Iterable[str]) -> str:
    shown = (f"{int(name):04}" if name.isdecimal() else name for name in sorted(channels))
    return ", ".join(name or "one without a name" for name in shown)
