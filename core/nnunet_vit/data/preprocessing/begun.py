"""A preprocessing that was interrupted: which of its cases stay, and what they were made from."""

import contextlib
import shutil
from pathlib import Path

from nnunet_vit.data.checks.detached_data import is_all_of_it
from nnunet_vit.data.preprocessing.damaged_cases import readable_cases
from nnunet_vit.data.preprocessing.data_record import Record, read_record, write_record
from nnunet_vit.data.preprocessing.foreign_pickles import refuse_foreign_pickles
from nnunet_vit.data.preprocessing.preprocessed import DataFolder
from nnunet_vit.data.preprocessing.raw_files import Files, FileState
from nnunet_vit.errors import DataError

SUFFIX = ".begun.json"
ENDINGS = (".pkl", ".b2nd", "_seg.b2nd", ".npz", ".npy", "_seg.npy")  # of a case's files


def begin(data: DataFolder, record: Record, files: Files) -> set[str]:
    """Note what cases are being made from; return those that an earlier start has finished.

    What else lies in their folder is deleted.

    Args:
        data: where they are made.
        record: what they are made from now.
        files: of the cases.

    Raises:
        DataError: finished cases would run something when nnU-Net reads them.
    """
    kept = _finished(data, record, files)
    stay = {f"{case}{ending}" for case in kept for ending in ENDINGS}
    data.path.mkdir(parents=True, exist_ok=True)
    for file in data.path.iterdir():
        if file.is_dir():
            shutil.rmtree(file)
        elif file.name not in stay:
            file.unlink()
    write_record(_path(data), record)
    return kept


def is_begun(data: DataFolder) -> bool:
    """Tell whether cases were being made when something ended it."""
    return _path(data).exists()


def forget_all(root: Path) -> None:
    """Forget every interrupted preprocessing of a dataset, whose data are all made again."""
    for note in root.glob(f"*{SUFFIX}"):
        note.unlink()


def end(data: DataFolder) -> None:
    """Forget the note: the record of what is complete is written."""
    _path(data).unlink(missing_ok=True)


def _finished(data: DataFolder, record: Record, files: Files) -> set[str]:
    """Return the cases whose files, plans and dataset.json are what they were made from.

    A machine that lost its power may have written their names and not their content.
    """
    before = None
    with contextlib.suppress(DataError):  # damaged
        before = read_record(_path(data))
    if before is None or (before.description, before.plans) != (record.description, record.plans):
        return set()
    now = {case: _contents(states) for case, states in record.cases.items()}
    then = {case: _contents(states) for case, states in before.cases.items()}
    same = {
        case
        for case in data.cases()
        if case in now and now[case] == then.get(case) and is_all_of_it(files[case])
    }
    refuse_foreign_pickles(data.path)
    return readable_cases(data.path, same)


def _contents(states: list[FileState]) -> list[tuple[str, str]]:
    """Return what of a case's files decides; names too: of channels, their order."""
    return [(state.name, state.sha256) for state in states]


def _path(data: DataFolder) -> Path:
    return data.root / f"{data.name}{SUFFIX}"
