"""Cases to import: their files are named, and not looked at yet."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from nnunet_vit.data.case_files import is_foreign
from nnunet_vit.data.faults import Fault
from nnunet_vit.data.importing.class_options import BACKGROUND, IGNORE
from nnunet_vit.data.naming import SHOWN
from nnunet_vit.errors import shortened

Part = Literal["Tr", "Ts"]
UNNAMED = re.compile(r"[/\\\0]")


@dataclass(frozen=True)
class SourceCase:
    """A case to import.

    Attributes:
        name: of the case in the dataset.
        images: in the order of the channels; a folder is a DICOM series.
        masks: by class where each class has a file, else one with the name ''; empty: none.
        part: Tr: training, Ts: test.
        group: patient or the like; empty: not said.
        place: where a table names it: `line 3 of cases.csv`.
    """

    name: str
    images: tuple[Path, ...]
    masks: Mapping[str, Path] = field(default_factory=dict)
    part: Part = "Tr"
    group: str = ""
    place: str = ""


@dataclass(frozen=True)
class SourceCases:
    """All cases to import.

    Attributes:
        given: where they come from, as the command line has it.
        cases: sorted by name.
        classes: names of the classes that have masks of their own, in order; empty: one mask each.
        channels: names of the columns of channels; empty: nothing names them.
        notices: what is to be said of files that are left out.
    """

    given: str
    cases: tuple[SourceCase, ...]
    classes: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()


def name_faults(cases: Iterable[SourceCase]) -> Iterator[Fault]:
    """Yield what is wrong with names of cases: what names no file, and what is there twice."""
    found: dict[str, list[SourceCase]] = {}
    for case in cases:
        found.setdefault(case.name.lower(), []).append(case)  # as disks without capitals have it
    for same in found.values():
        first = same[0]
        if not first.name or UNNAMED.search(first.name) or is_foreign(first.name):
            yield Fault(
                f"{first.place + ': ' if first.place else ''}'{first.name}' cannot name a case.",
                "a name without / or \\ and without a dot in front.",
            )
        if len(same) > 1:
            files = shortened((case.place or str(case.images[0]) for case in same), SHOWN)
            yield Fault(
                f"Case '{first.name}' is there {len(same)} times: {files}.",
                "a name per case: a pattern that keeps more of the file's name, or a table.",
            )


def class_faults(classes: Sequence[str], cases: Iterable[SourceCase]) -> list[Fault]:
    """Return classes whose names mean something else, and masks of no class beside such of one.

    Args:
        classes: names of the classes that have masks of their own.
        cases: of training and test.
    """
    faults = [
        Fault(
            f"Masks of one class each: '{name}' is no class.",
            "leave them out: where no mask has a pixel is the background."
            if name.lower() == BACKGROUND
            else f"a mask per case with all values, --label {IGNORE}=VALUE among them.",
        )
        for name in classes
        if name.lower() in (BACKGROUND, IGNORE)
    ]
    unnamed = [str(case.masks[""]) for case in cases if classes and "" in case.masks]
    if unnamed:
        faults.append(
            Fault(
                f"No class for {shortened(unnamed, SHOWN)}; other masks are of one class each "
                f"({shortened(classes, SHOWN)}).",
                "a name for them, or leave them out: NAME=FOLDER, or a pattern whose group label "
                "is in the name of every mask.",
            )
        )
    return faults


def with_groups(
    cases: Iterable[SourceCase], pattern: str
) -> tuple[tuple[SourceCase, ...], list[Fault]]:
    """Return the cases with the group that a pattern finds in their files' names, and its misses.

    Args:
        cases: without groups.
        pattern: with the named group `group`.
    """
    found, missed = [], []
    for case in cases:
        match = re.search(pattern, case.images[0].name)
        group = match["group"] if match else ""
        found.append(replace(case, group=group))
        if not group:
            missed.append(case.images[0].name)
    fault = Fault(
        f"--group {pattern!r} finds no group in {shortened(missed, SHOWN)}.",
        "a pattern that fits the names of all images, or a table with the column group.",
    )
    return tuple(found), [fault] if missed else []


def group_faults(cases: Sequence[SourceCase]) -> list[Fault]:
    """Return cases without a group, and groups on both sides of training and test."""
    parts: dict[str, set[Part]] = {}
    for case in cases:
        if case.group:
            parts.setdefault(case.group, set()).add(case.part)
    faults = []
    without = [case.name for case in cases if not case.group]
    if parts and without:
        problem = f"Cases without a group, where others have one: {shortened(without, SHOWN)}."
        faults.append(Fault(problem, "a group for each; its own where it has no other case."))
    both = sorted(group for group, own in parts.items() if len(own) > 1)
    if both:
        problem = f"Groups with training and test cases: {shortened(both, SHOWN)}."
        faults.append(Fault(problem, "all cases of a group in one of the two."))
    return faults
