"""What the run file, or the dataset itself, says about who may train and who validates."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nnunet_vit.config.models import DataConfig
from nnunet_vit.config.name_rules import GROUP_TABLE
from nnunet_vit.data.folds.case_groups import groups_of
from nnunet_vit.data.folds.splits_origin import Origin, origin_of
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
    told = Origin(said, data.stratify or (origin is not None and origin.stratify))
    of_dataset = None if cases.raw is None else cases.raw / OF_DATASET
    notices: tuple[str, ...] = ()
    groups: Mapping[str, str] = {}
    source = ""
    if said is False and data.groups is None and of_dataset and of_dataset.is_file():
        notices = (f"The splits were made with data.groups: false, without {of_dataset}.",)
    elif isinstance(said, str):
        source = f"data.groups ({said})"
        if data.groups is None and _is_gone(said, cases.joining):
            groups = {}
        else:
            groups = groups_of(said, cases.present, cases.ending)
    elif said is None and of_dataset and of_dataset.is_file():
        source = str(of_dataset)
        groups = _of_dataset(of_dataset, cases)
    return FoldRules(
        groups, source, data.stratify, own=own, own_path=data.splits or "", origin=told,
        notices=notices,
    )  # fmt: skip


def _of_dataset(table: Path, cases: FoldCases) -> Mapping[str, str]:
    try:
        return groups_of(str(table), cases.present, cases.ending)
    except DataError as error:
        fix = f"{error.fix.rstrip('.')}; {NO_GROUPS}" if error.fix else NO_GROUPS
        raise DataError(error.problem, fix) from error


def _is_gone(source: str, joining: Collection[str]) -> bool:
    """Tell whether the table that splits were made with is gone, and nobody needs it.

    Raises:
        DataError: it is gone, and there are new cases, which may be of its groups.
    """
    if not source.lower().endswith(GROUP_TABLE) or Path(source).is_file():
        return False
    if joining:
        lacking = f"{counted(len(joining), 'new case')} without a group"
        raise DataError(
            f"The splits were made with the groups of {source}, which is gone; now: {lacking}.",
            fix="data.groups in the run file: a table of all cases, or a pattern.",
        )
    return True
