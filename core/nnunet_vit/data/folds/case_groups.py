"""Which cases belong together, such as those of a patient: by a table, or a pattern in names."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from nnunet_vit.config.name_rules import GROUP_TABLE
from nnunet_vit.data.faults import Fault, refuse
from nnunet_vit.data.table_rows import read_table
from nnunet_vit.errors import DataError, shortened

COLUMNS = ("case", "group")
SHOWN = 6
Groups = dict[str, str]  # the group of each case


def groups_of(source: str, cases: Iterable[str], ending: str = "") -> Groups:
    """Return the group of each case.

    Args:
        source: the path of a table, which ends with .csv, or a pattern with one group in it.
        cases: of the dataset; a table may have others, those of other parts of the data.
        ending: of the image files, for the likeliest mistake in names.

    Raises:
        DataError: the table cannot be read, or a case has no group or several; names all of it.
    """
    if source.lower().endswith(GROUP_TABLE):
        return _by_table(Path(source), sorted(cases), ending)
    return _by_pattern(source, sorted(cases))


def _by_pattern(pattern: str, cases: list[str]) -> Groups:
    found = {case: re.search(pattern, case) for case in cases}
    groups = {case: match[1] for case, match in found.items() if match and match[1]}
    lacking = [case for case in cases if case not in groups]
    if lacking:
        raise DataError(
            f"data.groups: the pattern {pattern!r} finds no group in {len(lacking)} of "
            f"{len(cases)} cases: {shortened(lacking, SHOWN)}.",
            fix="a pattern that every case's name has, or a table with the columns case and group.",
        )
    return groups


def _by_table(path: Path, cases: list[str], ending: str) -> Groups:
    groups: Groups = {}
    faults = []
    for place, case, group in _rows(path):
        if not case or not group:
            faults.append(Fault(f"{place}: no {'group' if case else 'case'}."))
        elif groups.setdefault(case, group) != group:
            faults.append(Fault(f"{place}: {case} is in group {group} and in {groups[case]}."))
    refuse(path, faults)
    lacking = [case for case in cases if case not in groups]
    if lacking:
        ended = ending and any(f"{case}{ending}" in groups for case in lacking)
        hint = f" (names of cases have no '{ending}')" if ended else ""
        raise DataError(
            f"{path} has no group of {len(lacking)} of {len(cases)} cases: "
            f"{shortened(lacking, SHOWN)}{hint}.",
            fix="add a line for each; a case without others of its patient is a group of its own.",
        )
    return {case: groups[case] for case in cases}


def _rows(path: Path) -> Iterator[tuple[str, str, str]]:
    """Yield each line's place, case and group."""
    table = read_table(path, str(path))
    refuse(path, table.faults)
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing:
        there = ", ".join(map(repr, table.columns)) or "none"
        raise DataError(
            f"{path} has no column {' and no column '.join(map(repr, missing))}; there: {there}.",
            fix="name the columns case and group in the first line.",
        )
    for place, row in table.rows:
        case, group = (row.get(name, "") for name in COLUMNS)
        yield place.replace(path.name, str(path)), case, group
