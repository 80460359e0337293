"""The JSON file of `vit_cli best`: which models predict together, and what follows.

Members lie relative to the file where they are below its folder, so that both can be moved.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from nnunet_vit import __version__
from nnunet_vit.checkpoints.validation_summary import BETWEEN
from nnunet_vit.data.model_files import MODEL_FILES
from nnunet_vit.errors import ConfigError, DataError, ModelError, shortened
from nnunet_vit.evaluation.ranking.postprocessing import Step, steps_of_json
from nnunet_vit.files.json_file import JsonObject, kind_of, read_json

SCHEMA = 1
NAME = "best.json"
AGAIN = "`vit_cli best DATASET` writes it again."
NEEDED = {"description": dict, "members": list, "postprocessing": list}
DESCRIBED = ("channel_names", "labels", "regions_class_order", "file_ending")


@dataclass(frozen=True)
class Member:
    """A model that predicts.

    Attributes:
        folder: of the model, ours or nnU-Net's.
        digests: of each fold's final model.
        plans: digest of its plans.json; '': not known, by an older version.
    """

    folder: Path
    digests: dict[int, str]
    plans: str = ""

    @property
    def configuration(self) -> str:
        """Nnu-Net's configuration, by the folder's name."""
        return self.folder.name.rpartition(BETWEEN)[2]


@dataclass(frozen=True)
class EnsembleFile:
    """What the file says.

    Attributes:
        path: of the file.
        members: whose probabilities are averaged; one: it predicts alone.
        description: what dataset.json of every member says of channels and labels.
        steps: of the post-processing.
        temperature: of the averaged probabilities; None: not known.
    """

    path: Path
    members: tuple[Member, ...]
    description: JsonObject
    steps: tuple[Step, ...]
    temperature: float | None


def check_replaceable(path: Path) -> None:
    """Refuse to write over a file that `vit_cli best` has not written.

    Raises:
        ConfigError: it is there, and another one.
    """
    if not (path.exists() or path.is_symlink()):
        return
    try:
        content = read_json(path)
    except DataError:
        content = None
    if not isinstance(content, dict) or not {"schema", "members"} <= content.keys():
        raise ConfigError(
            f"{path} is there, and `vit_cli best` has not written it.",
            fix="-o with another file; or move this one away.",
        )


def described(description: JsonObject) -> JsonObject:
    """Return what of a dataset.json must be the same in all members."""
    return {key: description[key] for key in DESCRIBED if key in description}


def digest_of_plans(folder: Path) -> str:
    """Return the sha256 of what a model's plans.json says, however it is laid out.

    Raises:
        DataError: it cannot be read.
    """
    content = json.dumps(read_json(folder / "plans.json", AGAIN))
    return hashlib.sha256(content.encode()).hexdigest()


def place_of(folder: Path, file: Path) -> str:
    """Return how the file names a member's folder."""
    absolute, root = folder.resolve(), file.parent.resolve()
    if absolute.is_relative_to(root):
        return absolute.relative_to(root).as_posix()
    return str(absolute)


def read_ensemble(path: Path) -> EnsembleFile:
    """Return what the file says; the members are not looked at.

    Raises:
        ModelError: it cannot be read, is no such file, or a newer version wrote it.
    """
    if path.is_dir():
        raise ModelError(
            f"--ensemble {path} is a folder, not the file of `vit_cli best`.", _of(path)
        )
    try:
        content = read_json(path, AGAIN)
    except DataError as error:
        raise ModelError(error.problem, error.fix) from error
    if not isinstance(content, dict) or not isinstance(content.get("schema"), int):
        found = kind_of(content) if not isinstance(content, dict) else "no schema"
        raise ModelError(f"{path} is no file of `vit_cli best`: it holds {found}.", AGAIN)
    if content["schema"] > SCHEMA:
        raise ModelError(
            f"{path} was written by {content.get('written_by')}, this is nnunet-vit {__version__}.",
            fix="update nnunet-vit.",
        )
    wrong = [key for key, kind in NEEDED.items() if not isinstance(content.get(key), kind)]
    members = [] if wrong else [_member(each, path) for each in content["members"]]
    temperature = content.get("temperature")
    if temperature is not None and not _is_temperature(temperature):
        wrong.append("temperature")
    if wrong or not members or None in members:
        raise ModelError(
            f"{path} is damaged: {shortened(wrong or ['members'])} missing or of another type.",
            AGAIN,
        )
    steps = steps_of_json(content["postprocessing"], path)
    known = tuple(member for member in members if member is not None)
    return EnsembleFile(path, known, content["description"], steps, temperature)


def _of(folder: Path) -> str:
    """Return what to do with a folder in place of an ensemble's file."""
    if (folder / NAME).is_file():
        return f"--ensemble {folder / NAME}"
    if all((folder / name).is_file() for name in MODEL_FILES):
        return f"it is a model: --model {folder}"
    return f"give the file, {NAME} in its usual place."


def _member(content: object, path: Path) -> Member | None:
    try:
        assert isinstance(content, dict)
        digests = {int(fold): str(digest) for fold, digest in content["checkpoints"].items()}
        assert digests
        return Member(path.parent / content["folder"], digests, str(content.get("plans", "")))
    except (AssertionError, AttributeError, LookupError, TypeError, ValueError):
        return None


def _is_temperature(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e6
