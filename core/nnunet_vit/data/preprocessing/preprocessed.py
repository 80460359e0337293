"""What is there of a dataset's preprocessed data, with or without a record."""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

from nnunet_vit.data.case_files import files_of
from nnunet_vit.data.channels import in_order, schemes_of_names
from nnunet_vit.data.dataset import Dataset
from nnunet_vit.data.preprocessing.data_record import (
    REDO,
    SUFFIX,
    Record,
    essence,
    path_of,
    read_record,
)
from nnunet_vit.data.preprocessing.meaning import described_otherwise
from nnunet_vit.data.preprocessing.raw_files import Changes, Files, why_unreadable
from nnunet_vit.data.preprocessing.truth import TRUTH, cases_with_truth
from nnunet_vit.errors import DataError, shortened
from nnunet_vit.files.digests import known_sha256
from nnunet_vit.files.json_file import JsonObject, kind_of, read_json
from nnunet_vit.nnunet.plans_file import PLANS, merged

FINGERPRINT = "dataset_fingerprint.json"
NEEDED = ("channel_names", "labels", "file_ending")


@dataclass(frozen=True)
class DataFolder:
    """The preprocessed data of one configuration.

    Attributes:
        root: of the dataset's preprocessed data.
        name: of the folder in it, the plans' data_identifier.
    """

    root: Path
    name: str

    @property
    def path(self) -> Path:
        """The folder itself."""
        return self.root / self.name

    @property
    def record_file(self) -> Path:
        """Where its record is."""
        return path_of(self.root, self.name)

    def record(self) -> Record | None:
        """Return the record of what lies there now, or None.

        Raises:
            DataError: it is damaged.
        """
        found = read_record(self.record_file)
        return None if found is None or found.outdated else found

    def is_outdated(self) -> bool:
        """Tell whether a record says that the data wait to be made again."""
        found = read_record(self.record_file)
        return found is not None and found.outdated

    def cases(self) -> set[str]:
        """Return the cases that have been preprocessed; a killed run leaves fewer."""
        if not self.path.is_dir():
            return set()
        files = files_of(self.path, ".pkl")
        return {file.name.removesuffix(".pkl") for file in files if file.is_file()}


def described(root: Path) -> JsonObject | None:
    """Return the dataset.json beside the preprocessed data, or None where there is none.

    Raises:
        DataError: it is damaged.
    """
    path = root / "dataset.json"
    if not path.exists():
        return None
    content = read_json(path, REDO)
    if not isinstance(content, dict):
        raise DataError(f"{path} holds {kind_of(content)}, not a dataset.json.", REDO)
    kinds = {"channel_names": dict, "labels": dict, "file_ending": str}
    wrong = [key for key in NEEDED if not isinstance(content.get(key), kinds[key])]
    if wrong:
        raise DataError(f"{path}: {', '.join(wrong)} missing or of another type.", REDO)
    return content


def check_companions(dataset: Dataset, described_too: bool, reader: object) -> None:
    """Check the files beside the preprocessed data that a training copies or reads.

    Args:
        dataset: whose.
        described_too: whether dataset.json stays as it is; preprocessing writes it.
        reader: nnU-Net's, which the plans name.

    Raises:
        DataError: one is missing or damaged, or dataset.json says something else than it did.
    """
    path = dataset.preprocessed / FINGERPRINT
    content = read_json(path, REDO)
    shapes = content.get("shapes_after_crop") if isinstance(content, dict) else None
    if not isinstance(shapes, list):
        raise DataError(f"{path} is no fingerprint of a dataset.", REDO)
    if not described_too:
        return
    path = dataset.preprocessed / "dataset.json"
    beside = described(dataset.preprocessed)
    if beside is None:
        raise DataError(f"{path} is missing.", REDO)
    found = described_otherwise(
        str(path), essence(dataset.description), essence(beside), reader=reader
    )
    if found:
        raise DataError(f"It differs from the raw data's: {'; '.join(found)}.", REDO)


def cases_before(root: Path, ending: str) -> list[set[str]]:
    """Return the cases of each data folder as they were preprocessed last, whatever is damaged.

    Where a folder waits to be made again and another does not, the other alone counts.
    """
    fresh: list[set[str]] = []
    outdated: list[set[str]] = []
    for name in _recorded(root):
        with contextlib.suppress(DataError):
            record = read_record(path_of(root, name))
            if record is not None and record.cases:
                (outdated if record.outdated else fresh).append(set(record.cases))
    truth = cases_with_truth(root, ending)
    return fresh or outdated or ([truth] if truth else [])


def _recorded(root: Path) -> list[str]:
    """Return the names of data folders that have a record; that of the plans is none of theirs."""
    names = (file.name.removesuffix(SUFFIX) for file in root.glob(f"*{SUFFIX}"))
    return sorted(name for name in names if name != PLANS)


def other_record(root: Path, name: str) -> Record | None:
    """Return a record of another data folder that is not outdated, or None."""
    for other in _recorded(root):
        if other != name and (root / other).is_dir():
            found = DataFolder(root, other).record()
            if found is not None:
                return found
    return None


def data_folders(root: Path, plans: JsonObject) -> list[DataFolder]:
    """Return the data folders that are there for any configuration of the plans."""
    configurations = [merged(plans, name) or {} for name in plans["configurations"]]
    names = {str(content.get("data_identifier")) for content in configurations}
    return [DataFolder(root, name) for name in sorted(names) if (root / name).is_dir()]


def unrecorded_differences(
    dataset: Dataset, configuration: JsonObject, reader: object
) -> list[str]:
    """Return what shows that data without a record were made from something else.

    Compared are dataset.json, the reader that the plans name, and the number of channels.
    """
    before = described(dataset.preprocessed)
    if before is None:
        return [f"there is no dataset.json in {dataset.preprocessed}"]
    found = described_otherwise(
        "dataset.json", essence(before), essence(dataset.description), reader=reader
    )
    schemes, channels = configuration["normalization_schemes"], dataset.description["channel_names"]
    if len(schemes) != len(channels):
        found.append(f"normalized channels: {len(schemes)}, in dataset.json: {len(channels)}")
    return found


def changed_truth(dataset: Dataset, files: Files, cases: set[str]) -> list[str]:
    """Return the label files that differ from the copies beside the preprocessed data."""
    before = described(dataset.preprocessed)
    ending = dataset.description["file_ending"] if before is None else before["file_ending"]
    found = []
    for case in sorted(cases & set(files)):
        label, copy = files[case][-1], dataset.preprocessed / TRUTH / f"{case}{ending}"
        try:
            if not _same(label.stat(), copy.stat(), label, copy=copy):
                found.append(f"{label.parent.name}/{label.name}")
        except OSError as error:
            reason = why_unreadable(label, error)
            found.append(f"{label.parent.name}/{label.name} ({reason})")
    return found


def _same(one: os.stat_result, other: os.stat_result, path: Path, *, copy: Path) -> bool:
    if one.st_size != other.st_size:
        return False
    return one.st_mtime_ns == other.st_mtime_ns or known_sha256(path) == known_sha256(copy)


def unrecorded_changes(dataset: Dataset, files: Files, cases: set[str]) -> Changes:
    """Return how cases and labels differ from data without a record."""
    return Changes(
        added=sorted(set(files) - cases),
        removed=sorted(cases - set(files)),
        changed=changed_truth(dataset, files, cases),
    )


def younger_images(data: DataFolder, files: Files, cases: set[str]) -> str:
    """Return a line where images are younger than what was made from them.

    Without a record nobody can tell whether their pixels are the same.
    """
    found = []
    for case in sorted(cases & set(files)):
        made = (data.path / f"{case}.pkl").stat().st_mtime_ns
        images = [path for path in files[case][:-1] if path.is_file()]
        found += [path.name for path in images if path.stat().st_mtime_ns > made]
    if not found:
        return ""
    return (
        f"Younger than what was preprocessed from them: {shortened(found)}. If their pixels have "
        f"changed: {REDO}"
    )


def normalized_otherwise(dataset: Dataset, configuration: JsonObject) -> str:
    """Return a line where the plans do not normalize as dataset.json says; they decide."""
    schemes = configuration["normalization_schemes"]
    names = in_order(dataset.description["channel_names"])
    said = schemes_of_names(names)
    if schemes == said:
        return ""
    differ = [
        f"'{name}' by {scheme}"
        for name, scheme, own in zip(names.values(), schemes, said, strict=True)
        if scheme != own
    ]
    return (
        f"The plans, which decide, normalize otherwise than dataset.json says: {', '.join(differ)}."
    )
