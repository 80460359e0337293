"""Find a dataset and see whether it can be trained on, before anything is written."""

import contextlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nnunet_vit.errors import DataError, did_you_mean, shortened
from nnunet_vit.nnunet.folders import folder

NAME = re.compile(r"Dataset(\d{3})_[A-Za-z0-9_-]+")
REQUIRED = ("channel_names", "labels", "numTraining", "file_ending")
SHOWN = 5  # of a list of bad cases
CHANNEL_SUFFIX = len("_0000")


@dataclass(frozen=True)
class Dataset:
    """A dataset in nnU-Net's format.

    Attributes:
        name: DatasetXXX_Name.
        description: dataset.json.
        raw: its raw folder, or None where only preprocessed data are there.
    """

    name: str
    description: dict[str, Any]
    raw: Path | None

    @property
    def number(self) -> int:
        """The dataset's id."""
        return int(self.name[7:10])

    @property
    def preprocessed(self) -> Path:
        """The folder of its preprocessed data, which may not exist yet."""
        return folder("preprocessed") / self.name

    def normalization_schemes(self) -> list[str]:
        """Return nnU-Net's normalization of each channel, by class name."""
        from nnunetv2.preprocessing.normalization.map_channel_name_to_normalization import (
            get_normalization_scheme,
        )

        channels = self.description["channel_names"]
        with self._judged("channel_names"):
            ordered = [channels[key] for key in sorted(channels, key=int)]
            return [get_normalization_scheme(name).__name__ for name in ordered]

    def number_of_outputs(self) -> int:
        """Return the channels of the logits: classes with background, or regions."""
        from nnunetv2.utilities.label_handling.label_handling import LabelManager

        order = self.description.get("regions_class_order")
        with self._judged("labels"):
            return int(LabelManager(self.description["labels"], order).num_segmentation_heads)

    @contextlib.contextmanager
    def _judged(self, key: str) -> Iterator[None]:
        """Turn what nnU-Net raises about a part of dataset.json into an error that names it."""
        try:
            yield
        except (AssertionError, AttributeError, KeyError, TypeError, ValueError) as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise DataError(
                f"{self.name}/dataset.json: {key} {self.description[key]!r} is no use to nnU-Net: "
                f"{reason}."
            ) from error


def has_regions(description: dict[str, Any]) -> bool:
    """Tell whether the labels are regions, which may overlap, rather than classes."""
    return any(isinstance(label, list | tuple) for label in description["labels"].values())


def class_names(description: dict[str, Any]) -> list[str]:
    """Return the names of the foreground classes or regions as nnU-Net orders them.

    Regions keep dataset.json's order, classes follow their label.
    """
    labels = {n: v for n, v in description["labels"].items() if n not in ("background", "ignore")}
    if has_regions(description):
        return list(labels)
    return sorted(labels, key=lambda name: int(labels[name]))


def find_dataset(wanted: int | str | None) -> Dataset:
    """Return the dataset of an id or a name, checked as far as a look can tell.

    Raises:
        DataError: it does not exist, is ambiguous, or lacks images, labels or its description.
    """
    if wanted is None:
        raise DataError(
            "No dataset is named.",
            fix="data.dataset in the run file, or `vit_cli train DATASET …`.",
        )
    name = _full_name(wanted)
    raw = folder("raw") / name
    if raw.is_dir():
        description = read_description(raw / "dataset.json")
        _check_cases(raw, description)
        return Dataset(name, description, raw)
    return Dataset(name, read_description(folder("preprocessed") / name / "dataset.json"), None)


def _full_name(wanted: int | str) -> str:
    known = sorted(
        {
            entry.name
            for key in ("raw", "preprocessed")
            if folder(key).is_dir()
            for entry in folder(key).iterdir()
            if entry.is_dir() and NAME.fullmatch(entry.name)
        }
    )
    is_number = isinstance(wanted, int) or wanted.isdecimal()
    matches = [n for n in known if (int(n[7:10]) == int(wanted) if is_number else n == wanted)]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise DataError(
            f"Dataset {wanted} is ambiguous: {', '.join(matches)}.", fix="use its name."
        )
    hint = "" if is_number else did_you_mean(str(wanted), known)
    raise DataError(
        f"Dataset '{wanted}' is neither in {folder('raw')} nor in {folder('preprocessed')}.{hint} "
        f"There: {', '.join(known) or 'none'}."
    )


def read_description(path: Path) -> dict[str, Any]:
    """Return a dataset.json whose keys are there and of the right type.

    Raises:
        DataError: it is missing, no JSON, or lacks something.
    """
    try:
        description = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"{path} is missing.", fix="nnU-Net's dataset format needs it.") from None
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read as JSON: {error}.") from error
    missing = [k for k in REQUIRED if not isinstance(description, dict) or k not in description]
    if missing:
        raise DataError(f"{path} lacks {', '.join(missing)}.")
    kinds = {"channel_names": dict, "labels": dict, "numTraining": int, "file_ending": str}
    wrong = [
        f"{key} is {description[key]!r}"
        for key, kind in kinds.items()
        if not isinstance(description[key], kind) or not description[key]
    ]
    if wrong:
        raise DataError(f"{path}: {', '.join(wrong)}: not what nnU-Net's format has there.")
    if "background" not in description["labels"]:
        raise DataError(f"{path}: labels has no 'background'.", fix='labels: {"background": 0, …}')
    return dict(description)


def _check_cases(raw: Path, description: dict[str, Any]) -> None:
    ending = description["file_ending"]
    labels = {file.name.removesuffix(ending) for file in (raw / "labelsTr").glob(f"*{ending}")}
    if not labels:
        raise DataError(
            f"{raw / 'labelsTr'} holds no label file *{ending}: nothing to train on.",
            fix="one label image per training case, named CASE" + ending + ".",
        )
    if "dataset" in description:  # nnU-Net's other way: the description lists each case's files
        return
    # one file may hold several channels (an RGB picture): only nnU-Net's own check counts them
    files = (raw / "imagesTr").glob(f"*{ending}")
    cases = {file.name.removesuffix(ending)[:-CHANNEL_SUFFIX] for file in files}
    _report(sorted(labels - cases), f"{raw / 'imagesTr'} lacks images of labelled cases", ending)
    _report(sorted(cases - labels), f"{raw / 'labelsTr'} lacks labels of cases with images", ending)


def _report(names: list[str], problem: str, ending: str) -> None:
    if names:
        files = shortened((name + ending for name in names), SHOWN)
        raise DataError(f"{problem}: {files}.")
