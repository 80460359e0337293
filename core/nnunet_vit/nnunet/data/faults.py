"""What is wrong with single files, and one error that names all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nnunet_vit.errors import DataError, shortened

GROUPS = 8  # of files with the same fault, in one error
NAMES = 5  # of the files in a group


@dataclass(frozen=True)
class Fault:
    """A file that cannot be used.

    Attributes:
        file: named in the error.
        problem: what follows its name, without a full stop: `is empty`.
        remedy: what to do, or nothing; the same for all files of a kind.
    """

    file: Path
    problem: str
    remedy: str = ""


def error_of(faults: Sequence[Fault]) -> DataError:
    """Return one error with every file; files of a folder with the same fault share a line."""
    groups: dict[tuple[Path, str, str], list[str]] = {}
    for fault in faults:
        key = (fault.file.parent, fault.problem, fault.remedy)
        groups.setdefault(key, []).append(fault.file.name)
    lines = [
        (f"{folder}: {shortened(names, NAMES)}: {problem}.", remedy)
        for (folder, problem, remedy), names in groups.items()
    ]
    if len(lines) == 1:
        return DataError(lines[0][0], fix=lines[0][1])
    shown = [f"{text} Fix: {remedy}" if remedy else text for text, remedy in lines[:GROUPS]]
    left = sum(len(names) for names in list(groups.values())[GROUPS:])
    more = [f"… and {left} more"] if left else []
    return DataError("\n  ".join([f"{len(faults)} faults in the files", *shown, *more]))
