"""A folder that appears whole or not at all, and what is written beside it until then."""

import contextlib
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

from nnunet_vit.files.scratch import scratch_in
from nnunet_vit.files.writing import sync_folder

ASIDE = ".replaced-"  # before the name of a folder that makes room
SET_ASIDE = re.compile(rf"{re.escape(ASIDE)}(.+)-[0-9a-f]{{8}}")
SCRATCH = ".unfinished-"  # before the name of a folder that is there for a while


@contextlib.contextmanager
def scratch_folder(parent: Path) -> Iterator[Path]:
    """Give an empty folder in another one for a while; those of killed processes are removed.

    Raises:
        OSError: the disk refuses.
    """
    with scratch_in(parent, SCRATCH) as place:
        # one level below: whoever lists the models meanwhile sees none
        folder = place / "content"
        folder.mkdir()
        yield folder


@contextlib.contextmanager
def staged(target: Path, *, replace: bool = False) -> Iterator[Path]:
    """Give an empty folder to fill; put it in the place of `target` in one step afterwards.

    What goes wrong inside leaves the target, and the folders above it, as they were.

    Args:
        target: of the folder; those above it are made.
        replace: what is there.

    Raises:
        OSError: the disk refuses, or the target is there and not to be replaced.
    """
    absent = [folder for folder in target.parents if not folder.exists()]
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with scratch_folder(target.parent) as folder:
            yield folder
            _put(folder, target, replace=replace)
    except BaseException:
        for made in absent:  # the deepest first
            with contextlib.suppress(OSError):
                made.rmdir()
        raise
    sync_folder(target.parent)


def _put(folder: Path, target: Path, *, replace: bool) -> None:
    for inner in (path for path in folder.rglob("*") if path.is_dir()):
        sync_folder(inner)
    sync_folder(folder)
    if not (replace and target.exists()):
        os.rename(folder, target)
        return
    aside = target.with_name(f"{ASIDE}{target.name}-{secrets.token_hex(4)}")
    os.rename(target, aside)
    try:
        os.rename(folder, target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):  # somebody has put it back
            os.rename(aside, target)
        raise
    _discard(aside, folder.parent)


def replaced_by(folder: Path) -> Path | None:
    """Return the place that a folder made room in; None: it is no folder that makes room."""
    found = SET_ASIDE.fullmatch(folder.name)
    return folder.with_name(found[1]) if found else None


def put_back(target: Path) -> bool:
    """Undo a replacement that was killed halfway; tell whether the target is back by that.

    A folder that made room is whole as long as it has that name. Where the target is there, the
    replacement was done, and what made room for it is removed.

    Raises:
        OSError: the disk refuses.
    """
    folders = target.parent.iterdir() if target.parent.is_dir() else ()
    aside = [folder for folder in folders if replaced_by(folder) == target]
    if not aside:
        return False
    restored = not target.exists()
    if restored:  # the one that was there last
        aside.sort(key=lambda folder: folder.stat().st_ctime_ns)
        os.rename(aside.pop(), target)
        sync_folder(target.parent)
    with scratch_folder(target.parent) as scratch:
        for number, folder in enumerate(aside):
            _discard(folder, scratch / str(number))
    return restored


def _discard(folder: Path, scratch: Path) -> None:
    """Remove a folder by way of a scratch folder, so that a kill leaves no half of it."""
    with contextlib.suppress(FileNotFoundError):  # somebody else has done it
        scratch.mkdir(exist_ok=True)
        os.rename(folder, scratch / "replaced")
