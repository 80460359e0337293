"""The raw files of each case, by size, time and content, compared with those of another day.

Sizes and times are looked at first; a file is read only where a time is another, as after a copy.
"""

import contextlib
import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from nnunet_vit.data.case_files import training_cases
from nnunet_vit.data.dataset import Dataset
from nnunet_vit.errors import DataError, shortened
from nnunet_vit.files.digests import known_sha256
from nnunet_vit.files.integrity import broken_link
from nnunet_vit.files.processors import usable_processors

Files = Mapping[
    str, tuple[Path, ...]
]  # by case: its images in the order of the channels, its label

CHANGED = "Raw files have changed while they were read."
STILL = "start again when they are still."


@dataclass(frozen=True)
class FileState:
    """A file at some time.

    Attributes:
        name: without its folder.
        size: bytes.
        changed: time of the last change, nanoseconds; `cp -p` and others set it as they like.
        sha256: of its content.
        written: time at which the file system last wrote anything of it, nanoseconds; 0: unknown.
            On Windows it is the time of its creation.
    """

    name: str
    size: int
    changed: int
    sha256: str
    written: int = 0


States = dict[str, list[FileState]]


@dataclass
class Changes:
    """How the raw files differ from recorded ones.

    Attributes:
        added: cases that were not there.
        removed: cases that are not there any more.
        changed: files of other content, or that are missing.
        touched: whether equal files have other times or names: the record is out of date.
    """

    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    touched: bool = False


def files_by_case(dataset: Dataset) -> dict[str, tuple[Path, ...]]:
    """Return the raw files of each case.

    Raises:
        DataError: imagesTr is not there or cannot be read.
    """
    assert dataset.raw is not None
    try:
        cases = training_cases(dataset.raw, dataset.description)
    except OSError as error:
        raise DataError(
            f"{dataset.raw / 'imagesTr'} cannot be read: {error.strerror or error}."
        ) from error
    return {name: (*case.images, case.label) for name, case in cases.items()}


def states_of(files: Files) -> States:
    """Return the present state of all files, each read once.

    Raises:
        DataError: some are missing or cannot be read; names them.
    """
    return dict(zip(files, _in_parallel(files.values()), strict=True))


def changes(recorded: States, files: Files) -> Changes:
    """Return how files differ from recorded ones."""
    found = Changes(
        added=sorted(set(files) - set(recorded)), removed=sorted(set(recorded) - set(files))
    )
    both = sorted(set(files) & set(recorded))
    _read_touched((recorded[case], files[case]) for case in both)
    for case in both:
        before, now = recorded[case], files[case]
        if len(before) != len(now):
            found.changed.append(f"the files of {case} ({len(before)}, now {len(now)})")
            continue
        for state, path in zip(before, now, strict=True):
            _compare(state, path, found)
    return found


def _read_touched(cases: Iterable[tuple[list[FileState], tuple[Path, ...]]]) -> None:
    """Read all files with other times side by side: after a copy these are all of a dataset's."""

    def read(state: FileState, path: Path) -> None:
        with contextlib.suppress(OSError):  # the comparison says it
            about = path.stat()
            if about.st_size == state.size and not _times_are(state, about):
                known_sha256(path)

    pairs = [pair for before, now in cases for pair in zip(before, now, strict=False)]
    with ThreadPoolExecutor(min(8, usable_processors())) as pool:
        list(pool.map(lambda pair: read(*pair), pairs))


def _compare(state: FileState, path: Path, found: Changes) -> None:
    try:
        about = path.stat()
        if about.st_size == state.size and _times_are(state, about):
            found.touched |= path.name != state.name or not state.written
        elif about.st_size == state.size and known_sha256(path) == state.sha256:
            found.touched = True
        else:
            found.changed.append(_short(path))
    except OSError as error:
        found.changed.append(f"{_short(path)} ({why_unreadable(path, error)})")


def why_unreadable(path: Path, error: OSError) -> str:
    """Return why a file cannot be read, with the remedy where it is a link to nothing."""
    problem, remedy = broken_link(path)
    return f"{problem}: {remedy}" if problem else str(error.strerror or error)


def _times_are(state: FileState, about: os.stat_result) -> bool:
    if state.changed != about.st_mtime_ns:
        return False
    return state.written in (0, about.st_ctime_ns)


def _short(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _in_parallel(groups: Iterable[tuple[Path, ...]]) -> list[list[FileState]]:
    groups = list(groups)
    with ThreadPoolExecutor(min(8, usable_processors())) as pool:
        states = iter(list(pool.map(_state, [path for group in groups for path in group])))
    found = [[next(states) for _ in group] for group in groups]
    unreadable = [state.name for group in found for state in group if not state.sha256]
    if unreadable:
        raise DataError(f"Raw files cannot be read: {shortened(unreadable)}.")
    return found


def _state(path: Path) -> FileState:
    try:
        about = path.stat()
        return FileState(
            path.name, about.st_size, about.st_mtime_ns, known_sha256(path), about.st_ctime_ns
        )
    except OSError as error:
        return FileState(f"{path} ({why_unreadable(path, error)})", 0, 0, "")


def are_still(states: States, files: Files) -> bool:
    """Tell whether files have the sizes and times that they had a moment ago."""
    return not (found := changes(states, files)).changed and not (found.added or found.removed)


def are_untouched(states: Iterable[FileState], files: Iterable[Path]) -> bool:
    """Tell whether a case's files have exactly the sizes and times of a moment ago."""
    for state, file in zip(states, files, strict=True):
        try:
            about = file.stat()
        except OSError:
            return False
        if about.st_size != state.size or not _times_are(state, about):
            return False
    return True


def renewed(states: States, files: Files) -> States:
    """Return the states with the present names and times of files of equal content."""
    return {
        case: [_renewed(state, path) for state, path in zip(before, files[case], strict=True)]
        for case, before in states.items()
        if case in files
    }


def _renewed(state: FileState, path: Path) -> FileState:
    about = path.stat()
    return replace(state, name=path.name, changed=about.st_mtime_ns, written=about.st_ctime_ns)
