"""What is wrong with the user's data: each fault with its remedy, all of them in one error."""

from collections.abc import Iterable
from dataclasses import dataclass

from nnunet_vit.config.problems import escaped
from nnunet_vit.errors import DataError, counted

MOST_SHOWN = 20


@dataclass(frozen=True)
class Fault:
    """One thing to fix.

    Attributes:
        problem: what is wrong, where, and what is allowed; a whole sentence.
        fix: what to do; empty where the problem says it.
    """

    problem: str
    fix: str = ""


def sentence(fault: Fault) -> str:
    """Return a fault and what to do in one line."""
    return f"{fault.problem} {fault.fix[:1].upper()}{fault.fix[1:]}".strip()


def refuse(where: object, faults: Iterable[Fault], more: str = "") -> None:
    """Raise one error for all faults; do nothing where there are none.

    Args:
        where: the dataset or the folder that they are of, for the first line of several faults.
        faults: in the order in which they are shown.
        more: where the rest of them is, for the last line.

    Raises:
        DataError: there is a fault.
    """
    faults = list(dict.fromkeys(faults))
    if not faults:
        return
    # a file's name may hold any character
    errors = [DataError(escaped(fault.problem), fix=escaped(fault.fix)) for fault in faults]
    if len(errors) == 1 and not more:
        raise errors[0]
    lines = [f"  {error}" for error in errors[:MOST_SHOWN]]
    if len(faults) > MOST_SHOWN:
        lines.append(f"  and {len(faults) - MOST_SHOWN} more")
    lines += [f"  {more}"] if more else []
    raise DataError("\n".join([f"{where}: {counted(len(faults), 'problem')}", *lines]))
