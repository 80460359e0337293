"""dataset.json: read as nnU-Net reads it, and what is wrong with it in words, with the remedy."""

import json
import re
from pathlib import Path

from nnunet_vit.data.faults import Fault, refuse
from nnunet_vit.data.label_rules import label_faults
from nnunet_vit.errors import DataError
from nnunet_vit.files.integrity import broken_link
from nnunet_vit.files.json_file import DoubledKeyError, JsonObject, without_doubles

REQUIRED = ("channel_names", "labels", "file_ending")  # numTraining: cases are counted
KINDS = {"channel_names": dict, "labels": dict, "file_ending": str}
READER = "overwrite_image_reader_writer"
CONVERT = (
    "this is the format of nnU-Net v1 or of the Decathlon: `nnUNetv2_convert_old_nnUNet_dataset "
    "FOLDER DatasetXXX_NAME` or `nnUNetv2_convert_MSD_dataset -i FOLDER` converts it; by hand, "
    'modality becomes channel_names, labels are {"background": 0, "NAME": 1}, and file_ending '
    "is added."
)


def read_description(path: Path) -> JsonObject:
    """Return a dataset.json whose keys are there, of the right type and of use to nnU-Net.

    Raises:
        DataError: it is missing, no JSON, or wrong somewhere; all that is wrong is named.
    """
    content = _parsed(path)
    description: JsonObject = content if isinstance(content, dict) else {}
    missing = [key for key in REQUIRED if key not in description]
    if missing:
        old = "modality" in description
        raise DataError(f"{path} lacks {', '.join(missing)}.", fix=CONVERT if old else "")
    wrong = [
        f"{key} is {description[key]!r}"
        for key, kind in KINDS.items()
        if not isinstance(description[key], kind) or not description[key]
    ]
    if wrong:
        raise DataError(f"{path}: {', '.join(wrong)}: not what nnU-Net's format has there.")
    if _is_turned(description["labels"]):
        raise DataError(
            f"{path}: labels {description['labels']} is the wrong way round.", fix=CONVERT
        )
    faults = [
        *_channel_faults(description["channel_names"]),
        *_ending_faults(description),
        *label_faults(description["labels"], description.get("regions_class_order")),
        *_listing_faults(description),
    ]
    refuse(path, [Fault(f"{path}: {fault.problem}", fault.fix) for fault in faults])
    return dict(description)


def _parsed(path: Path) -> object:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        problem, remedy = broken_link(path)
        remedy = f"{remedy}." if remedy else "nnU-Net's dataset format needs it."
        raise DataError(f"{path} {problem or 'is missing'}.", fix=remedy) from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error
    if content.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        kind = "begins with a byte order mark" if content[0] == 0xEF else "is UTF-16"
        raise DataError(
            f"{path} {kind}, which nnU-Net cannot read.", fix="save it as UTF-8 without a mark."
        )
    try:
        return json.loads(content.decode("utf-8"), object_pairs_hook=without_doubles)
    except DoubledKeyError as error:
        raise DataError(f"{path}: {error}.", fix="remove one of them.") from None
    except (RecursionError, ValueError) as error:
        reason = str(error) or "it is nested too deeply"
        raise DataError(
            f"{path} cannot be read as JSON: {reason}.", fix=_hint(content, error)
        ) from error


def _hint(content: bytes, error: Exception) -> str:
    """Return what to do about the commonest mistakes in JSON that people write by hand."""
    if not isinstance(error, json.JSONDecodeError):
        return "" if not isinstance(error, UnicodeDecodeError) else "save it as UTF-8."
    before, after = error.doc[: error.pos].rstrip(), error.doc[error.pos :].lstrip()
    if (re.match(r"[}\]]", after) and before.endswith(",")) or re.match(r",\s*[}\]]", after):
        return "remove the comma before the closing bracket."
    if after.startswith("'"):
        return 'names and texts need double quotes, "…".'
    if after.startswith(("/", "#")):
        return "remove the comment: JSON has none."
    return ""


def _is_turned(labels: JsonObject) -> bool:
    """Tell whether labels are written as nnU-Net v1 did: number to name."""
    return all(
        key.strip().isdecimal() and isinstance(name, str) and not name.strip().isdecimal()
        for key, name in labels.items()
    )


def _channel_faults(channels: JsonObject) -> list[Fault]:
    odd = [f"{key!r}: {name!r}" for key, name in channels.items() if not isinstance(name, str)]
    if not odd:
        return []
    return [Fault(f"channel_names has {', '.join(odd)}.", 'a string per channel, like "0": "CT".')]


def _reader_faults(description: JsonObject) -> list[Fault]:
    """Refuse overwrite_image_reader_writer where it names something that is no reader."""
    from nnunetv2.imageio.base_reader_writer import BaseReaderWriter

    named = description.get(READER, "None")
    found = _named_reader(named) if isinstance(named, str) else named
    if found is None and named is not None:
        return []
    if isinstance(found, type) and issubclass(found, BaseReaderWriter):
        return []
    return [Fault(f"{READER} is {named!r}, no reader of nnU-Net.", f"remove {READER}.")]


def _named_reader(name: str) -> object:
    from nnunetv2.imageio.reader_writer_registry import recursive_find_reader_writer_by_name

    if name == "None":
        return None
    try:
        return recursive_find_reader_writer_by_name(name)
    except RuntimeError:  # as nnU-Net: the ending chooses
        return None


def _ending_faults(description: JsonObject) -> list[Fault]:
    """Refuse an ending that none of nnU-Net's readers reads, unless a reader is named."""
    from nnunetv2.imageio.reader_writer_registry import LIST_OF_IO_CLASSES

    faults = _reader_faults(description)
    if faults or _named_reader(description.get(READER, "None")) is not None:
        return faults
    ending = description["file_ending"]
    allowed = dict.fromkeys(
        known for io in LIST_OF_IO_CLASSES for known in io.supported_file_endings
    )
    if ending.lower() in allowed:
        return []
    words = f"file_ending {ending!r} is none that nnU-Net reads; allowed: {', '.join(allowed)}."
    meant = f".{ending.strip().lstrip('.')}"
    if meant.lower() in allowed:
        return [Fault(words, f'"file_ending": "{meant}".')]
    lossy = (
        ", which keeps the values (JPEG does not)" if ending.lower() in (".jpg", ".jpeg") else ""
    )
    return [Fault(words, f"convert images and labels to one of them, such as .png{lossy}.")]


def _listing_faults(description: JsonObject) -> list[Fault]:
    """Refuse a listing of files that is none: `dataset` is CASE: {images: […], label: …}."""
    listed = description.get("dataset", {})
    form = '"dataset": {"CASE": {"images": ["FILE", …], "label": "FILE"}, …}.'
    if not isinstance(listed, dict) or ("dataset" in description and not listed):
        return [Fault(f"dataset is {listed!r}, not the files of each case.", form)]
    odd = [case for case, files in listed.items() if not _is_case(case, files)]
    if not odd:
        return []
    return [Fault(f"dataset lists no images and label for {', '.join(map(repr, odd[:3]))}.", form)]


def _is_case(name: str, files: object) -> bool:
    if not isinstance(files, dict) or not name or "/" in name or "\\" in name:
        return False
    images = files.get("images")
    return (
        isinstance(images, list)
        and bool(images)
        and all(isinstance(file, str) and file for file in [*images, files.get("label")])
    )
