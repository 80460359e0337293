"""A repaired copy of a raw dataset: what has one right answer is repaired, the rest is left."""

import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from nnunet_vit.config.name_rules import DATASET
from nnunet_vit.data.checking.examining import examine
from nnunet_vit.data.checking.name_repairs import repaired_names
from nnunet_vit.data.checking.pixel_repairs import (
    Repaired,
    repaired_image,
    repaired_mask,
    write_pixels,
)
from nnunet_vit.data.checks.mask_palettes import unclear_palettes
from nnunet_vit.data.dataset import Dataset
from nnunet_vit.data.labels import labels_of
from nnunet_vit.errors import ConfigError, MachineError, message_of
from nnunet_vit.files.csv_table import write_table
from nnunet_vit.files.scratch import scratch_in
from nnunet_vit.files.writable import check_writable
from nnunet_vit.report.progress import Progress

LIST = "repairs.csv"  # in the copy; nnU-Net looks at no such file
PREFIX = ".repairing-"


@dataclass(frozen=True)
class Change:
    """A file of the copy that is not what it was.

    Attributes:
        file: its name before, below the dataset's folder.
        now: its name now.
        done: what was changed.
    """

    file: str
    now: str
    done: str


def place_of_copy(new: str, dataset: Dataset) -> Path:
    """Return where a repaired copy goes; a dataset's bare name stands beside the source.

    Raises:
        ConfigError: something is there already, or the dataset's files lie elsewhere.
        MachineError: its folder cannot be written.
    """
    assert dataset.raw is not None
    given = Path(new)
    bare = len(given.parts) == 1 and DATASET.fullmatch(new)
    path = dataset.raw.parent / new if bare else Path(os.path.abspath(given))
    if "dataset" in dataset.description:
        raise ConfigError(
            f"--repair: {dataset.name}/dataset.json lists files that lie anywhere; a copy of the "
            "folder has none of them.",
            fix="repair the files that are named where they lie.",
        )
    if os.path.lexists(path):
        raise ConfigError(f"--repair {new}: {path} is there already.", fix="another name.")
    if dataset.raw in path.parents:
        raise ConfigError(
            f"--repair {new}: {path} lies in the dataset itself.", fix="another folder."
        )
    check_writable(path.parent, f"--repair {new}")
    return path


def repair(dataset: Dataset, path: Path, progress: Progress) -> list[Change]:
    """Write the repaired copy, whole or not at all; return what was changed.

    Where nothing can be repaired, nothing is written.

    Args:
        dataset: with its raw folder, in which nothing is changed.
        path: of the copy, as `place_of_copy` returns it.
        progress: where to show the work.

    Raises:
        MachineError: the disk refuses; nothing is left of the copy then.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with scratch_in(path.parent, PREFIX) as place:
            copy = replace(dataset, name=path.name, raw=place / "copy")
            changes = [*_copied(dataset, copy), *_repaired(copy, progress)]
            if changes:
                rows = [(change.file, change.now, change.done) for change in changes]
                write_table(("file", "now", "done"), rows, place / "copy" / LIST)
                os.rename(place / "copy", path)
    except (OSError, RuntimeError, shutil.Error) as error:
        raise MachineError(
            f"{path} cannot be written: {message_of(error)}.", fix="make room, or another folder."
        ) from error
    return changes


def _copied(dataset: Dataset, copy: Dataset) -> list[Change]:
    """Copy all files, those with a better name under it."""
    source, target = dataset.raw, copy.raw
    assert source is not None and target is not None
    try:
        shutil.copytree(source, target, ignore=_no_files, ignore_dangling_symlinks=True)
    finally:  # a copy that fails is removed, which a folder that is read alone forbids
        _make_writable(target)
    changes = []
    for old, (new, done) in repaired_names(source, dataset.description).items():
        if (target / old).is_file():
            os.rename(target / old, target / new)
            changes.append(Change(old, new, done))
    return changes


def _make_writable(copy: Path) -> None:
    """Let the owner change a copy, whose source may be for reading alone."""
    for folder, _, names in os.walk(copy):
        os.chmod(folder, stat.S_IMODE(os.stat(folder).st_mode) | stat.S_IRWXU)
        for name in names:
            file = Path(folder, name)
            file.chmod(stat.S_IMODE(file.stat().st_mode) | stat.S_IWUSR)


def _no_files(folder: str, names: list[str]) -> list[str]:
    """Return what cannot be copied: what is neither file nor folder."""
    paths = {name: Path(folder, name) for name in names}
    return [name for name, path in paths.items() if not (path.is_file() or path.is_dir())]


def _repaired(copy: Dataset, progress: Progress) -> Iterator[Change]:
    """Repair the bad files of the copy that can be repaired."""
    try:
        examined = examine(copy, progress)
    except OSError:  # no imagesTr, or none that can be read
        return
    channels, labels = len(copy.description["channel_names"]), labels_of(copy.description)
    ending = copy.description["file_ending"]
    faulty = {fault.file for seen in examined.seen.values() for fault in seen.faults}
    unclear = unclear_palettes(
        case.label for case in examined.cases.values() if case.label in faulty
    )
    for name, seen in (*examined.seen.items(), *examined.tests.items()):
        case = examined.cases.get(name)
        for file in dict.fromkeys(fault.file for fault in seen.faults):
            if file in unclear:
                continue
            is_label = case is not None and file == case.label
            repaired = (
                repaired_mask(file, labels, ending) if is_label else repaired_image(file, channels)
            )
            if repaired is not None:
                yield _replaced(file, repaired, ending)


def _replaced(file: Path, repaired: Repaired, ending: str) -> Change:
    values, done = repaired
    new = file.with_name(f"{PREFIX}{file.name}")  # its ending says the format
    write_pixels(values, new, file, ending=ending)
    os.replace(new, file)
    name = f"{file.parent.name}/{file.name}"
    return Change(name, name, done)
