"""Cases whose names and files are known, and that are not looked at yet."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nnunet_vit.data.case_files import is_foreign
from nnunet_vit.data.faults import Fault
from nnunet_vit.errors import shortened

UNNAMED = {"/", "\\", "\0"}


@dataclass(frozen=True)
class AskedCases:
    """Cases to predict.

    Attributes:
        source: what gave them, as the command line has it.
        cases: files in the order of the channels, by case.
        notices: what is to be said of the others.
        named: where a list names a case, for what is wrong with it: `line 3 of list.txt`.
        large: the cases that are read in strips.
    """

    source: str
    cases: dict[str, list[Path]]
    notices: tuple[str, ...] = ()
    named: Mapping[str, str] = field(default_factory=dict)
    large: Collection[str] = ()


@dataclass(frozen=True)
class NamedFile:
    """A file that somebody named.

    Attributes:
        case: its case.
        channel: its digits; empty: it is the case's only file.
        file: the image.
        place: where it is named: `line 3`, or nothing.
    """

    case: str
    channel: str
    file: Path
    place: str


def cases_of_named(files: Iterable[NamedFile]) -> dict[str, list[Path]]:
    """Return the files of each case in the order of their channels, cases as they were named."""
    return {
        case: [each.file for each in sorted(own, key=lambda each: each.channel)]
        for case, own in by_case(files).items()
    }


def by_case(files: Iterable[NamedFile]) -> dict[str, list[NamedFile]]:
    """Return the files of each case as they were named."""
    found: dict[str, list[NamedFile]] = {}
    for each in files:
        found.setdefault(each.case, []).append(each)
    return found


def name_faults(files: Iterable[NamedFile]) -> Iterator[Fault]:
    """Yield what is wrong with names: a case that is there twice, and what can name no mask."""
    for case, own in by_case(files).items():
        first, channels = own[0], {each.channel for each in own}
        if not case or UNNAMED & set(case) or is_foreign(case):
            place = f"{first.place}: " if first.place else ""
            yield Fault(
                f"{place}the case '{case}' cannot name a mask.",
                "a name without / or \\ and without a dot in front; / parts folders.",
            )
        elif len(own) > 1 and (len(channels) < len(own) or "" in channels):
            apart = list({each.place or str(each.file): each for each in own}.values())
            names = shortened(
                f"{each.file}{f' ({each.place})' * bool(each.place)}" for each in apart
            )
            yield Fault(
                f"Case '{case}' is there {len(apart)} times: {names}.",
                "every case needs a name of its own: rename the files, or name the cases in a "
                "table (.csv with the columns case and file).",
            )
