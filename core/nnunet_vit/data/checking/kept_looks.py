"""What earlier looks at a dataset's files told, kept as long as the files are what they were.

Kept beside the preprocessed data. A file that is damaged or cannot be written is as good as none.
"""

import contextlib
import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nnunet_vit import __version__
from nnunet_vit.data.checks.case_look import Seen
from nnunet_vit.data.checks.image_figures import ImageFigures
from nnunet_vit.data.checks.images import ImageFacts
from nnunet_vit.data.checks.masks import MaskFacts
from nnunet_vit.data.file_faults import FileFault
from nnunet_vit.errors import DataError, MachineError
from nnunet_vit.files.json_file import JsonMapping, JsonObject, read_json
from nnunet_vit.files.writing import write_text
from nnunet_vit.nnunet.folders import VARIABLES

SCHEMA = 2  # another one where a look tells other things
FOLDER = ".checked"  # in nnUNet_preprocessed
CLOCK = 0.03  # seconds; a file that changes twice within them may have one time

State = list[list[object]]  # of each file: path, size, time of its content, of its entry


@dataclass
class KeptLooks:
    """The looks at a dataset's cases.

    Attributes:
        context: what they were looked at for; nothing is kept for another one.
        reader: nnU-Net's, by class name.
        looks: of each case the state of its files and what was seen.
    """

    context: JsonObject
    reader: str = ""
    looks: dict[str, tuple[State, Seen]] = field(default_factory=dict)

    def unchanged(self, states: Mapping[str, State | None]) -> dict[str, Seen]:
        """Return what was seen of the cases whose files are in the state that they were in."""
        return {
            case: self.looks[case][1]
            for case, state in states.items()
            if state is not None and case in self.looks and self.looks[case][0] == state
        }


def place_of(name: str, suffix: str) -> Path | None:
    """Return where something about a dataset is kept; None where nnU-Net's folder is not known."""
    root = os.environ.get(VARIABLES["preprocessed"])
    return Path(root) / FOLDER / f"{name}{suffix}" if root else None


def state_of(files: Sequence[Path]) -> State | None:
    """Return the state of files; None where it is not known, or may change unseen."""
    now, state = time.time(), []
    try:
        for file in files:
            about = os.stat(file)
            if abs(now - about.st_ctime) < CLOCK:
                return None
            times = [about.st_mtime_ns, about.st_ctime_ns]
            state.append([os.path.abspath(file), about.st_size, *times])
    except OSError:
        return None
    return state


def read_kept(name: str, context: JsonObject) -> KeptLooks:
    """Return the looks that are kept for this context, or none."""
    path, empty = place_of(name, ".json"), KeptLooks(context)
    if path is None:
        return empty
    try:
        content = read_json(path)
        if content["schema"] != SCHEMA or content["context"] != context:
            return empty
        looks = {
            str(case): (list(kept["files"]), _seen(kept["seen"]))
            for case, kept in content["cases"].items()
        }
        return KeptLooks(context, str(content["reader"]), looks)
    except (DataError, AttributeError, KeyError, TypeError, ValueError):
        return empty


def keep(name: str, kept: KeptLooks) -> None:
    """Write the looks, where that is possible."""
    path = place_of(name, ".json")
    if path is None:
        return
    cases = {case: {"files": state, "seen": seen} for case, (state, seen) in kept.looks.items()}
    content = {"schema": SCHEMA, "nnunet_vit": __version__, "context": kept.context}
    with contextlib.suppress(OSError, MachineError):
        path.parent.mkdir(parents=True, exist_ok=True)
        # in one line: with line breaks Python's own encoder takes ten times as long
        text = json.dumps({**content, "reader": kept.reader, "cases": cases}, default=_plain)
        write_text(text, path)


def _plain(value: object) -> object:
    """Return what a look holds as JSON has it: paths are texts."""
    return str(value) if isinstance(value, Path) else vars(value)


def _seen(kept: JsonMapping) -> Seen:
    image, label = kept["image"], kept["label"]
    faults = [FileFault(**{**fault, "file": Path(fault["file"])}) for fault in kept["faults"]]
    return Seen(
        None if image is None else _image(image),
        None if label is None else MaskFacts(**_tuples({**label, "file": Path(label["file"])})),
        tuple(faults),
    )


def _image(kept: JsonMapping) -> ImageFacts:
    figures = kept["figures"]
    return ImageFacts(
        **_tuples({**kept, "files": [Path(file) for file in kept["files"]], "figures": None})
        | {"figures": None if figures is None else ImageFigures(**_tuples(figures))}
    )


def _tuples(kept: JsonMapping) -> JsonObject:
    return {key: tuple(each) if isinstance(each, list) else each for key, each in kept.items()}
