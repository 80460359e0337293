"""What is wrong with single files; files with the same fault become one `Fault`."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from nnunet_vit.data.faults import Fault
from nnunet_vit.errors import shortened

SHOWN = 5  # names of the files with the same fault


@dataclass(frozen=True)
class FileFault:
    """A file that cannot be used.

    Attributes:
        file: named in the error.
        problem: what follows its name, without a full stop: `is empty`.
        remedy: what to do, or nothing; the same for all files of a kind.
    """

    file: Path
    problem: str
    remedy: str = ""


def grouped(faults: Iterable[FileFault]) -> list[Fault]:
    """Return one fault per folder and problem, which names the first files and their number."""
    groups: dict[tuple[Path, str, str], list[str]] = {}
    for fault in faults:
        key = (fault.file.parent, fault.problem, fault.remedy)
        groups.setdefault(key, []).append(fault.file.name)
    return [
        Fault(
            f"{folder / names[0]} {problem}."
            if len(names) == 1
            else f"{folder}: {shortened(names, SHOWN)}: each {problem}.",
            f"{remedy}." if remedy else "",
        )
        for (folder, problem, remedy), names in groups.items()
    ]
