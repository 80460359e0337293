"""What the run file, or the dataset itself, says about who may train and who validates."""

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from nnunet_vit.config.models import DataConfig
from nnunet_vit.config.name_rules import GROUP_TABLE
from nnunet_vit.data.folds.case_groups import groups_of
from nnunet_vit.data.folds.splits_origin import ORIGIN, Origin, origin_of
from nnunet_vit.data.splits import Split, read_splits
from nnunet_vit.errors import DataError, counted

OF_DATASET = "groups.csv"  # in the raw folder, beside dataset.json
NO_GROUPS = "or data.groups: false, for folds without groups."


@dataclass(frozen=True)
class FoldRules:
    """What folds have to keep to; without anything they are nnU-Net's.

    Attributes:
        groups: of each case; empty: each case is one by itself.
        source: what says so, as errors name it.
        stratify: classes are balanced.
        own: the folds of `data.splits`, or None.
        own_path: its file.
        origin: what later runs are told.
        notices: what the user should look at, one line each.
    """

    groups: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    stratify: bool = False
    own: list[Split] | None = None
    own_path: str = ""
    origin: Origin = field(default_factory=Origin)
    notices: tuple[str, ...] = ()

    @property
    def are_usual(self) -> bool:
        """Whether nnU-Net itself would make the same folds."""
        return not self.groups and not self.stratify and self.own is None

    @property
    def are_said(self) -> bool:
        """Whether the run file, or that of an earlier run, names the groups."""
        return isinstance(self.origin.groups, str)


NO_RULES = FoldRules()


@dataclass(frozen=True)
class FoldCases:
    """The cases that folds are made of, and where they lie.

    Attributes:
        present: those that the training will have.
        leaving: those that are about to leave the splits.
        joining: of those present, the ones that the splits do not know yet.
        raw: the dataset's raw folder, or None where there is none.
        preprocessed: the folder of its preprocessed data.
        ending: of the image files.
    """

    present: Collection[str]
    raw: Path | None
    preprocessed: Path
    ending: str = ""
    leaving: Collection[str] = ()
    joining: Collection[str] = ()


def rules_of(data: DataConfig, cases: FoldCases) -> FoldRules:
    """Return what the folds of a dataset have to keep to.

    Where the run file says nothing of groups, it is what the splits that are there were made with;
    else groups.csv in the raw dataset.

    Raises:
        DataError: cases without a group, or a table or `data.splits` that is wrong.
    """
    origin = origin_of(cases.preprocessed)
    own = None
    if data.splits is not None:
        known = [*cases.present, *cases.leaving]
        own = read_splits(Path(data.splits), known, cases.ending, "correct it.")
    said = data.groups if data.groups is not None or origin is None else origin.groups
    of_dataset = _table_of(cases)
    notices: tuple[str, ...] = ()
    if said is False and data.groups is None and of_dataset:
        notices = (f"The splits were made with data.groups: false, without {of_dataset}.",)
    source, groups = _groups(data, said, cases, origin=origin or Origin())
    told = Origin(said, data.stratify or (origin is not None and origin.stratify), groups)
    return FoldRules(
        groups, source, data.stratify, own=own, own_path=data.splits or "", origin=told,
        notices=notices,
    )  # fmt: skip


def _table_of(cases: FoldCases) -> Path | None:
    """Return the dataset's own table; a link to a place that is not there is one that is wrong."""
    table = None if cases.raw is None else cases.raw / OF_DATASET
    return table if table is not None and os.path.lexists(table) else None


def _groups(
    data: DataConfig, said: str | Literal[False] | None, cases: FoldCases, *, origin: Origin
) -> tuple[str, Mapping[str, str]]:
    """Return who says which cases belong together, and the group of each; both may be empty.

    Args:
        data: of the run file.
        said: what it says, or the run that made the splits.
        cases: that folds are made of.
        origin: of the splits.
    """
    if said is False:
        return "", {}
    if isinstance(said, str):
        source = f"data.groups ({said})"
        is_gone = said.lower().endswith(GROUP_TABLE) and not Path(said).is_file()
        if data.groups is None and is_gone:
            return source, _noted(origin.of_cases, cases, said)
        return source, groups_of(said, cases.present, cases.ending)
    if table := _table_of(cases):
        return str(table), _of_dataset(table, cases)
    if origin.of_cases:
        return f"{OF_DATASET}, by {ORIGIN}", _noted(origin.of_cases, cases, OF_DATASET)
    return "", {}


def _of_dataset(table: Path, cases: FoldCases) -> Mapping[str, str]:
    try:
        return groups_of(str(table), cases.present, cases.ending)
    except DataError as error:
        fix = f"{error.fix.rstrip('.')}; {NO_GROUPS}" if error.fix else NO_GROUPS
        raise DataError(error.problem, fix) from error


def _noted(noted: Mapping[str, str], cases: FoldCases, table: str) -> Mapping[str, str]:
    """Return the groups that the splits were made with, whose table is gone.

    Raises:
        DataError: there are cases that it did not know, which may be of its groups.
    """
    new = [case for case in cases.present if case not in noted]
    if new:
        lacking = f"{counted(len(new), 'new case')} without a group"
        raise DataError(
            f"The splits were made with the groups of {table}, which is gone; now: {lacking}.",
            fix="data.groups in the run file: a table of all cases, or a pattern.",
        )
    return {case: noted[case] for case in cases.present}
