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


def first_line(error: BaseException, longest: int = 100) -> str:
    """Return the first line of an exception's text, or its class, shortened."""
    text = (str(error).strip().splitlines() or [""])[0].strip() or type(error).__name__
    return text[:longest].rstrip(" .:")


def size_text(count: int) -> str:
    """Return a number of bytes for people."""
    if count >= 1e9:
        return f"{count / 1e9:.1f} GB"
    return f"{count / 1e6:.0f} MB" if count >= 1e7 else f"{count / 1e6:.1f} MB"
