"""Names of files that can be repaired in one way alone: endings in capitals, a missing _0000."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from nnunet_vit.data.case_files import channel_of, files_of
from nnunet_vit.data.naming import COPY
from nnunet_vit.files.json_file import JsonMapping

FOLDERS = ("imagesTr", "labelsTr", "imagesTs", "labelsTs")


def repaired_names(raw: Path, description: JsonMapping) -> dict[str, tuple[str, str]]:
    """Return the new name of each file that has one, and what was changed; both below `raw`.

    A name that two files would have is given to neither.
    """
    ending = description["file_ending"]
    found, taken = {}, set()
    for folder in FOLDERS:
        if (raw / folder).is_dir():
            names = [file.name for file in files_of(raw / folder)]
            taken |= {f"{folder}/{name}" for name in names}
            is_case = _tells_cases(raw, folder, ending)
            for name, new, done in _renames(names, ending, is_case):
                found[f"{folder}/{name}"] = (f"{folder}/{new}", done)
    wanted = Counter(new for new, _ in found.values())
    return {
        old: (new, done)
        for old, (new, done) in found.items()
        if new not in taken and wanted[new] == 1
    }


def _tells_cases(raw: Path, folder: str, ending: str) -> Callable[[str], bool]:
    """Return what tells whether a name in a folder is one of a case that lacks its channel.

    In training a label of that name, its ending in any letters, says so; a test case has none.
    """
    if folder != "imagesTr":
        return lambda _: folder == "imagesTs"
    labels = raw / "labelsTr"
    names = [file.name for file in files_of(labels)] if labels.is_dir() else []
    cases = {name[: -len(ending)] for name in names if name.lower().endswith(ending.lower())}
    return cases.__contains__


def _renames(
    names: list[str], ending: str, is_case: Callable[[str], bool]
) -> Iterator[tuple[str, str, str]]:
    known = {name for name in names if name.endswith(ending)}
    for name in names:
        new, done = name, []
        if not name.endswith(ending) and name.lower().endswith(ending.lower()):
            new = f"{name[: -len(ending)]}{ending}"
            done.append(f"ending {name[-len(ending) :]} as {ending}")
        if not new.endswith(ending):
            continue
        copied = COPY.match(new)
        is_copy = copied is not None and f"{copied[1]}{ending}" in known
        stem = new.removesuffix(ending)
        if is_case(stem) and not channel_of(Path(new), ending) and not is_copy:
            new = f"{stem}_0000{ending}"
            done.append("_0000 added")
        if done:
            yield name, new, ", ".join(done)
