"""How folds are made: that a pattern is one, that files are there, that keys go together."""

import os
import re

from nnunet_vit.config.draft import Draft
from nnunet_vit.config.name_rules import GROUP_TABLE, absolute
from nnunet_vit.config.problems import shown

SPLITS = ".json"
ALLOWED = (
    "a table's file *.csv with the columns case and group, a pattern with one group in "
    "parentheses like 'P(\\d+)_', false or null"
)


def check_groups(draft: Draft) -> None:
    """Validate `data.groups`: a table that is there, or a pattern with one group."""
    given = draft.config.data.groups
    if not isinstance(given, str) or not draft.sound("data.groups"):
        return
    is_table = given.lower().endswith(GROUP_TABLE)
    if fault := _file_fault(draft, given) if is_table else _pattern_fault(given):
        draft.add("data.groups", f"given {shown(given)}; {fault}; allowed: {ALLOWED}")


def check_splits(draft: Draft) -> None:
    """Validate `data.splits`: a file that is there, and no balance beside it."""
    given = draft.config.data.splits
    if given is None or not draft.sound("data.splits"):
        return
    named = given.lower().endswith(SPLITS)
    if fault := _file_fault(draft, given) if named else f"its name does not end with {SPLITS}":
        draft.add(
            "data.splits",
            f"given {shown(given)}; {fault}; allowed: a file of the form of splits_final.json, or "
            "null",
        )
    if draft.sound("data.stratify") and draft.config.data.stratify:
        draft.add(
            "data.stratify",
            f"given true together with splits {shown(given)}, which says all; allowed: one of the "
            "two",
        )


def _file_fault(draft: Draft, given: str) -> str:
    if "\0" in given:
        return "no path"
    path = absolute(given, draft.folder)
    if os.path.isfile(path):
        return ""
    return f"a folder: {path}" if os.path.isdir(path) else f"no such file: {path}"


def _pattern_fault(given: str) -> str:
    try:
        groups = re.compile(given).groups
    except re.error as error:
        return f"no pattern: {error}"
    return "" if groups == 1 else f"the pattern has {groups or 'no'} groups in parentheses"
