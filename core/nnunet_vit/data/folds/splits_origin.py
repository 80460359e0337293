"""How splits_final.json was made: later runs of the dataset follow it where they say nothing."""

import os
from dataclasses import dataclass
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
    """

    groups: str | Literal[False] | None = None
    stratify: bool = False


def write_origin(folder: Path, origin: Origin, splits: list[Split]) -> None:
    """Write how splits are made, before they are written themselves.

    Args:
        folder: of the dataset's preprocessed data.
        origin: how.
        splits: that are about to be written; others that come in their place have no origin.
    """
    content = {"nnunet_vit": __version__, "groups": origin.groups, "stratify": origin.stratify}
    write_json({**content, "splits": digest_of(splits)}, folder / ORIGIN)


def origin_of(folder: Path) -> Origin | None:
    """Return how the splits of a dataset were made, or None where somebody else has made them."""
    if not (os.path.lexists(folder / NAME) and (folder / ORIGIN).is_file()):
        return None
    try:
        content = read_json(folder / ORIGIN)
        groups = content["groups"]
        made_of_these = content["splits"] == digest_of(read_json(folder / NAME, FIX))
        known = groups is None or groups is False or isinstance(groups, str)
        return Origin(groups, content["stratify"] is True) if made_of_these and known else None
    except (DataError, LookupError, TypeError):  # a note that tells nothing is none
        return None
