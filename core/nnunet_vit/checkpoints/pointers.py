"""LATEST and BEST: small files that name a checkpoint and the hash of its manifest."""

import json
import re
from pathlib import Path
from typing import NamedTuple

from nnunet_vit.files.digests import sha256
from nnunet_vit.files.writing import remove_unfinished, replacing

LATEST, BEST = "LATEST", "BEST"
CHECKPOINTS = "ckpt"  # the folder of what they name
STATE, MANIFEST = "state.json", "MANIFEST.json"  # of a checkpoint, in its folder
ASIDE = ".aside-"  # before the name of a checkpoint that makes room for another of its epoch
NAME = re.compile(r"epoch_(\d{5,})")
NAME_ASIDE = re.compile(rf"{re.escape(ASIDE)}epoch_(\d{{5,}})-[0-9a-f]+")


class Pointer(NamedTuple):
    """What LATEST or BEST says.

    Attributes:
        name: of the checkpoint's folder.
        manifest: sha256 of its manifest.
        best: it is the best checkpoint up to its epoch.
    """

    name: str
    manifest: str
    best: bool


def write_pointer(path: Path, pointer: Pointer) -> None:
    """Let LATEST or BEST name another checkpoint, in one step.

    Raises:
        OSError: the disk refuses; the file is what it was.
    """
    content = {"dir": pointer.name, "manifest": pointer.manifest, "best": pointer.best}
    remove_unfinished(path)
    with replacing(path) as unfinished:
        unfinished.write_text(json.dumps(content), encoding="utf-8")


def read_pointer(path: Path) -> Pointer | None:
    """Return what LATEST or BEST says; nothing where the file is missing or damaged."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        pointer = Pointer(content["dir"], content["manifest"], content["best"] is True)
        return pointer if NAME.fullmatch(pointer.name) else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def matches(directory: Path, pointer: Pointer) -> bool:
    """Tell whether a folder is the checkpoint that a pointer means, by its manifest."""
    try:
        return sha256(directory / MANIFEST) == pointer.manifest
    except OSError:
        return False


def name_of(epoch: int) -> str:
    """Return the name of a checkpoint's folder."""
    return f"epoch_{epoch:05d}"


def epoch_of(name: str) -> int:
    """Return the epoch in the name of a checkpoint's folder, also of one aside; -1: no such."""
    match = NAME.fullmatch(name) or NAME_ASIDE.fullmatch(name)
    return int(match.group(1)) if match else -1
