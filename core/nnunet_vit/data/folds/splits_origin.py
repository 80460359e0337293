"""How splits_final.json was made: later runs of the dataset follow it where they say nothing."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from nnunet_vit import __version__
from nnunet_vit.data.splits import FIX, NAME, Split
from nnunet_vit.errors import DataError
from nnunet_vit.files.json_file import read_json, write_json
from nnunet_vit.nnunet.run_names import digest_of

ORIGIN = "splits_final_made_by.json"  # beside the splits


@dataclass(frozen=True)
class Origin:
    """How splits were made.

    Attributes:
        groups: `data.groups` of the run that made them: the path of a table, a pattern, false,
            or None for what the dataset itself says.
        stratify: whether classes were balanced.
        of_cases: the group of each case then; it holds where the table is gone, or the splits have
            been edited or deleted since.
    """

    groups: str | Literal[False] | None = None
    stratify: bool = False
    of_cases: Mapping[str, str] = field(default_factory=dict)


def write_origin(folder: Path, origin: Origin, splits: list[Split]) -> None:
    """Write how splits are made, before they are written themselves.

    Args:
        folder: of the dataset's preprocessed data.
        origin: how.
        splits: that are about to be written; others that come in their place have no origin.
    """
    how = {"groups": origin.groups, "stratify": origin.stratify, "cases": dict(origin.of_cases)}
    content = {"nnunet_vit": __version__, **how, "splits": digest_of(splits)}
    write_json(content, folder / ORIGIN)


def origin_of(folder: Path) -> Origin | None:
    """Return how the splits of a dataset were made, or None where nobody has noted it.

    Of splits that have been edited or deleted since, the groups still hold; all else does not.
    """
    try:
        content = read_json(folder / ORIGIN) if (folder / ORIGIN).is_file() else {}
        groups, of_cases = content["groups"], content["cases"]
        known = groups is None or groups is False or isinstance(groups, str)
        if not known or not isinstance(of_cases, dict):
            return None
        if os.path.lexists(folder / NAME) and content["splits"] == _digest(folder / NAME):
            return Origin(groups, content["stratify"] is True, of_cases)
        return Origin(groups, False, of_cases) if of_cases else None
    except (DataError, LookupError, TypeError):  # a note that tells nothing is none
        return None


def _digest(path: Path) -> str:
    return digest_of(read_json(path, FIX))


def same_patients(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Tell whether two notes put the same cases together, whatever their groups are called.

    A case that one of them does not know is by itself there.
    """
    cases = set(one) | set(other)
    pairs = {(one.get(case, f"\0{case}"), other.get(case, f"\0{case}")) for case in cases}
    return len(pairs) == len({first for first, _ in pairs}) == len({second for _, second in pairs})
