"""Folders to import: which of their files are images, and what is left out."""

from collections.abc import Iterable
from pathlib import Path

from nnunet_vit.data.case_files import foreign_files, is_foreign
from nnunet_vit.data.checks.detached_data import data_files
from nnunet_vit.data.faults import Fault
from nnunet_vit.data.importing.reading.any_pixels import is_known
from nnunet_vit.data.importing.reading.dicom_pixels import series_files
from nnunet_vit.data.naming import counted_endings
from nnunet_vit.errors import shortened


def folder_faults(folder: Path) -> list[Fault]:
    """Return that a folder is missing or holds no images."""
    if not folder.is_dir():
        return [Fault(f"{folder} is {'no folder' if folder.exists() else 'not there'}.")]
    if not entries_of(folder):
        there = counted_endings(path for path in folder.iterdir() if path.is_file())
        return [Fault(f"{folder} holds no images; it holds {there or 'no files'}.")]
    return []


def entries_of(folder: Path) -> list[Path]:
    """Return the images and the folders with a DICOM series, sorted."""
    return [
        path
        for path in sorted(folder.iterdir())
        if not is_foreign(path.name)
        and (bool(series_files(path)) if path.is_dir() else is_known(path))
    ]


def left_out(folders: Iterable[Path]) -> Iterable[str]:
    """Yield what is to be said of files that are no images, and hold no voxels of one."""
    for folder in dict.fromkeys(folders):
        of_others = [path.name for path in foreign_files(folder)]
        if of_others:
            yield f"Left out of {folder}: {shortened(of_others)}, files of other programs."
        taken = set(entries_of(folder))
        taken |= {data for path in taken if path.is_file() for data in data_files(path)}
        others = [path for path in folder.iterdir() if path not in taken]
        unknown = [path for path in others if not is_foreign(path.name)]
        if unknown:
            names = shortened(sorted(path.name for path in unknown))
            yield f"Left out of {folder}: {names}: no format that is read."
