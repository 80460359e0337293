"""The folder, among the masks, where files lie until they are whole."""

from contextlib import AbstractContextManager
from pathlib import Path

from nnunet_vit.files.scratch import scratch_in

PREFIX = ".predicting-"


def staged_in(masks: Path) -> AbstractContextManager[Path]:
    """Give a new folder that is gone afterwards, and remove those of predictions that were killed.

    Several predictions may write to one folder of masks at once.
    """
    return scratch_in(masks, PREFIX)
