"""Names and paths as a run file writes them."""

import os
import re
from pathlib import Path

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
NAME_WORDS = "a name of letters, digits, '_', '-' and '.'"
# what nnU-Net finds by its number, written with %03d; then whatever it is called
DATASET = re.compile(r"Dataset(\d{3}|[1-9]\d{3,})(?!\d).*", re.DOTALL)
DATASET_WORDS = "DatasetXXX_NAME, with three digits, or with more that begin with no 0"

GROUP_TABLE = ".csv"  # data.groups is a table where it ends so, else a pattern


def absolute(path: str, folder: Path) -> str:
    """Return a path of the run file as an absolute one: it starts at the file's own folder."""
    return os.path.normpath(folder / os.path.expanduser(path))
