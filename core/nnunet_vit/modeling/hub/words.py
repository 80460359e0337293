"""A cause and its remedy, before they are put into a sentence."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """What went wrong and what to do.

    Attributes:
        cause: follows "cannot be fetched:".
        fix: what to do.
        final: whether the fix is the only one; else the file may be copied by hand.
        absent: whether the repository is there and the file is not.
    """

    cause: str
    fix: str
    final: bool = False
    absent: bool = False
