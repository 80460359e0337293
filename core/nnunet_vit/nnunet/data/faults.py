"""What is wrong with the user's data: each fault with its remedy, all of them in one error."""

from collections.abc import Iterable
from dataclasses import dataclass

from nnunet_vit.errors import DataError

MOST_SHOWN = 20


@dataclass(frozen=True)
class Fault:
    """One thing to mend.

    Attributes:
        problem: what is wrong, where, and what is allowed; a whole sentence.
        fix: what to do; empty where the problem says it.
    """

    problem: str
    fix: str = ""


def refuse(where: object, faults: Iterable[Fault]) -> None:
    """Raise one error for all faults; do nothing where there are none.

    Args:
        where: the dataset or the folder that they are of, for the first line of several faults.
        faults: in the order in which they are shown.

    Raises:
        DataError: there is a fault.
    """
    faults = list(dict.fromkeys(faults))
    if not faults:
        return
    if len(faults) == 1:
        raise DataError(faults[0].problem, fix=faults[0].fix)
    lines = [f"  {DataError(fault.problem, fix=fault.fix)}" for fault in faults[:MOST_SHOWN]]
    if len(faults) > MOST_SHOWN:
        lines.append(f"  and {len(faults) - MOST_SHOWN} more")
    raise DataError("\n".join([f"{where}: {len(faults)} problems", *lines]))
