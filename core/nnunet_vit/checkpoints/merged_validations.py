"""The name of nnU-Net's folder that holds the validations of several folds together."""

import re
from collections.abc import Iterable
from pathlib import Path

MERGED = "crossval_results_folds"  # before the numbers of the folds


def merged_name(folds: Iterable[int]) -> str:
    """Return the name of the folder for these folds."""
    return "_".join([MERGED, *map(str, folds)])


def folds_merged_in(folder: Path) -> tuple[int, ...]:
    """Return the folds whose validations a folder of that name holds; none: it is another one."""
    found = re.fullmatch(rf"{MERGED}((?:_\d+)+)", folder.absolute().name)
    return tuple(map(int, found[1].split("_")[1:])) if found else ()
