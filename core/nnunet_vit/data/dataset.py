"""Find a dataset and see whether it can be trained on, before anything is written."""

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nnunet_vit.config.name_rules import DATASET, DATASET_WORDS
from nnunet_vit.data.case_files import cases_of
from nnunet_vit.data.description_file import read_description
from nnunet_vit.data.faults import Fault, refuse
from nnunet_vit.data.label_rules import are_regions, numbers_of
from nnunet_vit.data.naming import image_faults, label_faults
from nnunet_vit.errors import DataError, did_you_mean, message_of, shortened
from nnunet_vit.files.json_file import JsonMapping, JsonObject
from nnunet_vit.nnunet.folders import folder


@dataclass(frozen=True)
class Dataset:
    """A dataset in nnU-Net's format.

    Attributes:
        name: DatasetXXX_Name.
        description: dataset.json.
        raw: its raw folder, or None where only preprocessed data are there.
    """

    name: str
    description: JsonObject
    raw: Path | None

    @property
    def number(self) -> int:
        """The dataset's id."""
        return number_of(self.name)

    @property
    def preprocessed(self) -> Path:
        """The folder of its preprocessed data, which may not exist yet."""
        return folder("preprocessed") / self.name

    def normalization_schemes(self) -> list[str]:
        """Return nnU-Net's normalization of each channel, by class name."""
        from nnunetv2.preprocessing.normalization.map_channel_name_to_normalization import (
            get_normalization_scheme,
        )

        names = channel_names_in_order(self.description)
        with self._named_where_it_fails("channel_names"):
            return [get_normalization_scheme(name).__name__ for name in names]

    def number_of_outputs(self) -> int:
        """Return the channels of the logits: classes with background, or regions."""
        from nnunetv2.utilities.label_handling.label_handling import LabelManager

        order = self.description.get("regions_class_order")
        with self._named_where_it_fails("labels"):
            return int(LabelManager(self.description["labels"], order).num_segmentation_heads)

    @contextlib.contextmanager
    def _named_where_it_fails(self, key: str) -> Iterator[None]:
        """Turn what nnU-Net raises about a part of dataset.json into an error that names it."""
        try:
            yield
        except (AssertionError, AttributeError, KeyError, TypeError, ValueError) as error:
            raise DataError(
                f"{self.name}/dataset.json: nnU-Net rejects {key} {self.description[key]!r}: "
                f"{message_of(error)}."
            ) from error


def number_of(name: str) -> int:
    """Return the id of a dataset's name: 5 of Dataset005_Mine, 1234 of Dataset1234_Mine.

    Raises:
        DataError: it is no name of a dataset.
    """
    match = DATASET.fullmatch(name)
    if match is None:
        raise DataError(f"'{name}' is no name of a dataset; it must be {DATASET_WORDS}.")
    return int(match[1])


def channel_names_in_order(description: JsonMapping) -> list[str]:
    """Return the names of the channels in order: by number where all keys are numbers.

    Keys that are names, like R, G and B, keep the order of the file, as in nnU-Net.
    """
    names = description["channel_names"]
    numbered = all(key.isascii() and key.isdigit() for key in names)
    return [names[key] for key in (sorted(names, key=int) if numbered else names)]


def has_regions(description: JsonObject) -> bool:
    """Tell whether the labels are regions, which may overlap, rather than classes."""
    return are_regions(description["labels"])


def class_names(description: JsonObject) -> list[str]:
    """Return the names of the foreground classes or regions as nnU-Net orders them.

    Regions keep dataset.json's order, classes follow their label.
    """
    labels = {n: v for n, v in description["labels"].items() if n not in ("background", "ignore")}
    if has_regions(description):
        return list(labels)
    return sorted(labels, key=lambda name: numbers_of(labels[name]))


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
        refuse(raw, name_faults(raw, description))
        return Dataset(name, description, raw)
    return Dataset(name, read_description(folder("preprocessed") / name / "dataset.json"), None)


def _full_name(wanted: int | str) -> str:
    there = {
        entry.name
        for key in ("raw", "preprocessed")
        if folder(key).is_dir()
        for entry in folder(key).iterdir()
        if entry.is_dir()
    }
    known = sorted(name for name in there if DATASET.fullmatch(name))
    is_number = isinstance(wanted, int) or wanted.isdecimal()
    matches = [n for n in known if (number_of(n) == int(wanted) if is_number else n == wanted)]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise DataError(
            f"Dataset {wanted} is ambiguous: {', '.join(matches)}.", fix="use its name."
        )
    hint = "" if is_number else did_you_mean(str(wanted), known)
    raise DataError(
        f"Dataset '{wanted}' is neither in {folder('raw')} nor in {folder('preprocessed')}.{hint} "
        f"There: {', '.join(known) or 'none'}.{_misnamed(there - set(known))}"
    )


def _misnamed(names: set[str]) -> str:
    """Return the words about folders that look like datasets and that nnU-Net does not find."""
    odd = sorted(name for name in names if re.match(r"data_?set|task_?\d", name, re.IGNORECASE))
    if not odd:
        return ""
    return f" Not counted: {shortened(map(repr, odd))}: a dataset's name is {DATASET_WORDS}."


def raw_dataset(wanted: str) -> Dataset:
    """Return the dataset of a folder, an id or a name; nobody has looked at its files' names.

    Raises:
        DataError: it does not exist, is ambiguous, has no raw data, or its dataset.json is wrong.
    """
    given = Path(wanted)
    if given.is_dir() and (len(given.parts) > 1 or (given / "dataset.json").exists()):
        raw = Path(os.path.abspath(given))
    else:
        raw = folder("raw") / _full_name(wanted)
    if not raw.is_dir():
        raise DataError(f"{raw} is missing: only preprocessed data are there.")
    return Dataset(raw.name, read_description(raw / "dataset.json"), raw)


def name_faults(raw: Path, description: JsonObject) -> list[Fault]:
    """Return what is wrong with the names of a raw dataset's files, which must pair up."""
    if "dataset" in description:  # nnU-Net's other way: the description lists each case's files
        return []
    ending = description["file_ending"]
    images = raw / "imagesTr"
    faults = image_faults(images, ending)
    cases = cases_of(images, ending) if images.is_dir() else {}
    return [*faults, *label_faults(raw / "labelsTr", ending, cases, alone=bool(faults))]
