"""What a case has to end with."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """One command and its end.

    Attributes:
        command: for bash, in a copy of the case's folder.
        says: patterns that standard output and standard error together hold.
        code: the exit code.
        never: patterns that they do not hold.
        there: globs of files that are there afterwards.
        absent: globs of files that are not.
    """

    command: str
    says: tuple[str, ...] = ()
    code: int = 0
    never: tuple[str, ...] = ()
    there: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()


@dataclass(frozen=True)
class Case:
    """A folder of inputs: its name, its end in a few words, and the commands."""

    name: str
    ends: str
    steps: tuple[Step, ...]
