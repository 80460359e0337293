"""A folder that appears whole or not at all."""

import contextlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from nnunet_vit.files.writing import sync_folder

ASIDE = ".replaced-"  # before the name of a folder that makes room


@contextlib.contextmanager
def staged(target: Path) -> Iterator[Path]:
    """Give an empty folder to fill; put it in the place of `target` in one step afterwards.

    What goes wrong inside leaves the target, and the folders above it, as they were.

    Raises:
        OSError: the disk refuses.
    """
    absent = [folder for folder in target.parents if not folder.exists()]
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=target.parent) as place:
            # one level below: whoever lists the models meanwhile sees none
            folder = Path(place) / "model"
            folder.mkdir()
            yield folder
            _put(folder, target)
    except BaseException:
        for made in absent:  # the deepest first
            with contextlib.suppress(OSError):
                made.rmdir()
        raise
    sync_folder(target.parent)


def _put(folder: Path, target: Path) -> None:
    for inner in (path for path in folder.rglob("*") if path.is_dir()):
        sync_folder(inner)
    sync_folder(folder)
    if not target.exists():
        os.rename(folder, target)
        return
    aside = target.with_name(f"{ASIDE}{target.name}-{secrets.token_hex(4)}")
    os.rename(target, aside)
    try:
        os.rename(folder, target)
    except BaseException:
        os.rename(aside, target)
        raise
    shutil.rmtree(aside, ignore_errors=True)
