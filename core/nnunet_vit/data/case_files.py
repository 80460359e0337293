"""Which files of a folder are which case and channel: one rule for training and prediction.

It is nnU-Net's: CASE_XXXX.png, four digits per channel, in the order of the digits whatever the
first one is; files of other endings do not count. Files that other programs leave are left out.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from nnunet_vit.files.json_file import JsonMapping

CHANNEL = re.compile(r"(?P<case>.+)_(?P<channel>\d{4})", re.DOTALL)
FOREIGN = re.compile(
    r"\..*|~\$.*|#.*#|.*~"  # hidden, ._ of macOS, office locks, Emacs
    r"|.*\.(?:sw[op]|bak|orig|tmp|temp|part|partial|crdownload|lock)"
    r"|(?:eh)?thumbs(?:_vista)?\.db|desktop\.ini|icon\r|__macosx|@eadir|sync\.ffs_db",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True)
class Case:
    """The files of a training case.

    Attributes:
        images: in the order of the channels; one file may hold several channels.
        label: may not exist.
    """

    images: tuple[Path, ...]
    label: Path


def is_foreign(name: str) -> bool:
    """Tell whether another program left the file: `._x`, `.DS_Store`, `Thumbs.db`, backups."""
    return FOREIGN.fullmatch(name) is not None


def files_of(folder: Path, ending: str = "") -> list[Path]:
    """Return the files of a folder with that ending, sorted, without those of other programs.

    Links to nothing are among them: whoever looks at them says so, nobody leaves them out.

    Raises:
        OSError: the folder is not there or cannot be read.
    """
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if _is_file_or_broken(entry)]
    return [
        folder / name for name in sorted(names) if name.endswith(ending) and not is_foreign(name)
    ]


def _is_file_or_broken(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_file() or (entry.is_symlink() and not entry.is_dir())
    except OSError:  # a link in a circle, or to where this user may not look
        return True


def foreign_files(folder: Path, ending: str = "") -> list[Path]:
    """Return the files of other programs in a folder, sorted.

    Args:
        folder: one that can be read.
        ending: only those with it, which nnU-Net itself would take for images or labels.
    """
    with os.scandir(folder) as entries:
        names = [e.name for e in entries if is_foreign(e.name) and _is_file_or_broken(e)]
    return [folder / name for name in sorted(names) if name.endswith(ending)]


def cases_of(folder: Path, ending: str) -> dict[str, list[Path]]:
    """Return the image files of each case in the order of their channels, cases sorted.

    Files without a channel number belong to no case: `naming.image_faults` names them.

    Raises:
        OSError: the folder is not there or cannot be read.
    """
    cases: dict[str, list[Path]] = {}
    for file in files_of(folder, ending):
        match = CHANNEL.fullmatch(file.name.removesuffix(ending))
        if match is not None:
            cases.setdefault(match["case"], []).append(file)
    return {case: sorted(cases[case]) for case in sorted(cases)}


def channel_of(file: Path, ending: str) -> str:
    """Return the four digits of an image file, or nothing where it has none."""
    match = CHANNEL.fullmatch(file.name.removesuffix(ending))
    return match["channel"] if match is not None else ""


def training_cases(raw: Path, description: JsonMapping) -> dict[str, Case]:
    """Return the training cases of a raw dataset as nnU-Net finds them.

    They are those that dataset.json lists under `dataset`, relative to its folder and with
    environment variables; else those with images in imagesTr.

    Raises:
        OSError: imagesTr is not there or cannot be read.
    """
    ending = description["file_ending"]
    if "dataset" in description:
        return {
            str(case): Case(
                tuple(_resolved(raw, image) for image in files["images"]),
                _resolved(raw, files["label"]),
            )
            for case, files in description["dataset"].items()
        }
    return {
        case: Case(tuple(images), raw / "labelsTr" / f"{case}{ending}")
        for case, images in cases_of(raw / "imagesTr", ending).items()
    }


def _resolved(raw: Path, listed: str) -> Path:
    return Path(os.path.abspath(raw / os.path.expandvars(listed)))
