"""What preprocessed data were made from, written beside them once they are complete.

One file per kind of preprocessed data, named after their folder, and one for the plans.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from nnunet_vit import __version__
from nnunet_vit.data.channels import in_order
from nnunet_vit.data.dataset import has_regions
from nnunet_vit.data.preprocessing.raw_files import FileState, States
from nnunet_vit.errors import DataError
from nnunet_vit.files.json_file import JsonMapping, JsonObject, read_json, write_json

SUFFIX = ".record.json"
SCHEMA = 2
REDO = "`vit_cli train … --preprocess-again` plans and preprocesses the dataset again."
DESCRIBED = ("file_ending", "overwrite_image_reader_writer", "regions_class_order")
OF_PLANS = ("image_reader_writer", "transpose_forward", "transpose_backward")
OF_CONFIGURATION = (
    "preprocessor_name",
    "spacing",
    "normalization_schemes",
    "use_mask_for_norm",
    "resampling_fn_data",
    "resampling_fn_data_kwargs",
    "resampling_fn_seg",
    "resampling_fn_seg_kwargs",
)
INTENSITIES = "foreground_intensity_properties_per_channel"


@dataclass(frozen=True)
class Record:
    """What preprocessed data were made from.

    Attributes:
        description: what of dataset.json decides, as `essence` returns it.
        plans: what of the plans decides, as `deciding` returns it; empty for the plans themselves.
        cases: the raw files of each case.
        outdated: the dataset has been planned again since, and these data wait to be made again.
    """

    description: JsonObject
    plans: JsonObject
    cases: States
    outdated: bool = False


def essence(description: JsonMapping) -> JsonObject:
    """Return what of dataset.json decides: channels in order, labels, file ending, reader.

    Labels that are classes are ordered by their value; the order of regions decides.
    """
    labels = [[name, value] for name, value in description["labels"].items()]
    if not has_regions(dict(description)):
        labels.sort(key=lambda label: str(label[1]).zfill(9))
    return {
        "channel_names": list(in_order(description["channel_names"]).values()),
        "labels": labels,
        **{key: description[key] for key in DESCRIBED if key in description},
    }


def deciding(plans: JsonMapping, configuration: JsonMapping) -> JsonObject:
    """Return what of nnU-Net's plans decides how pixels are preprocessed.

    Args:
        plans: of the dataset.
        configuration: one of theirs, with what it inherits.
    """
    found = {key: plans.get(key) for key in OF_PLANS}
    found |= {key: configuration.get(key) for key in OF_CONFIGURATION}
    if "CTNormalization" in configuration["normalization_schemes"]:
        found[INTENSITIES] = plans.get(INTENSITIES)
    return found


def path_of(folder: Path, name: str) -> Path:
    """Return the record's file for the plans or the data folder of that name."""
    return folder / f"{name}{SUFFIX}"


def write_record(path: Path, record: Record) -> None:
    """Write a record, whole or not at all."""
    content = {"schema": SCHEMA, "nnunet_vit": __version__, **asdict(record)}
    write_json(content, path)


def read_record(path: Path) -> Record | None:
    """Return the record, or None where there is none.

    Raises:
        DataError: it is damaged, or a newer version has written it.
    """
    if not path.exists():
        return None
    content = read_json(path, REDO)
    try:
        if content["schema"] > SCHEMA:
            raise DataError(
                f"{path} was written by a newer nnunet-vit ({content.get('nnunet_vit')}).",
                fix="update nnunet-vit.",
            )
        cases = {
            str(case): [_file_state(state) for state in states]
            for case, states in content["cases"].items()
        }
        description, plans = dict(content["description"]), dict(content["plans"])
        return Record(description, plans, cases, bool(content["outdated"]))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path} is no record of preprocessing.", REDO) from error


def files_of_cases(record: Record, cases: Iterable[str]) -> list[object]:
    """Return what decides of those cases: dataset.json, and the digests of their files."""
    digests = [
        [case, *(state.sha256 for state in record.cases.get(case, []))] for case in sorted(cases)
    ]
    return [record.description, digests]


def _file_state(state: JsonMapping) -> FileState:
    """Return a file's state; what a later version of this package says besides is left out."""
    known = {one.name for one in fields(FileState)}
    return FileState(**{key: value for key, value in state.items() if key in known})


def differing(what: str, before: JsonMapping, now: JsonMapping) -> list[str]:
    """Return one phrase per key that differs: "labels of dataset.json: [...], now [...]"."""
    return [
        f"{key} of {what}: {_short(before.get(key))}, now {_short(now.get(key))}"
        for key in sorted({*before, *now})
        if before.get(key) != now.get(key)
    ]


def _short(value: object, most: int = 160) -> str:
    pairs = isinstance(value, list) and all(isinstance(each, list) for each in value)
    text = str(dict(value)) if pairs else str(value)  # type: ignore[call-overload]
    return text if len(text) <= most else f"{text[:most]}…"
