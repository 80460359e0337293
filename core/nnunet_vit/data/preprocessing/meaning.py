"""Whether two dataset.json mean the same to nnU-Net, however each of them is written."""

from typing import Any

from nnunet_vit.data.description_file import READER
from nnunet_vit.data.label_rules import are_regions, numbers_of
from nnunet_vit.data.preprocessing.data_record import differing
from nnunet_vit.files.json_file import JsonMapping, JsonObject

ORDER = "regions_class_order"


def described_otherwise(
    what: str, before: JsonMapping, now: JsonMapping, *, reader: object = None
) -> list[str]:
    """Return one phrase per key that means something else than it did.

    Args:
        what: the file.
        before: `essence` of a dataset.json, as a record may hold it.
        now: likewise.
        reader: nnU-Net's, which the plans name; they decide where dataset.json names none.
    """
    one, other = _meaning(before, reader), _meaning(now, reader)
    keys = [key for key in {*one, *other} if one.get(key) != other.get(key)]
    return differing(
        what, {key: before.get(key) for key in keys}, {key: now.get(key) for key in keys}
    )


def _meaning(description: JsonMapping, reader: object) -> JsonObject:
    found = dict(description)
    if found.get(READER) in (None, "None"):
        found[READER] = reader
    found["channel_names"] = [_channel(name) for name in _listed(found.get("channel_names"))]
    pairs = _listed(found.get("labels"))
    if not all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in pairs):
        return found
    labels = [(name, value) for name, value in pairs if value is not None]
    regions = are_regions(dict(pairs))
    found["labels"] = [[name, sorted(numbers_of(value)) or value] for name, value in labels]
    if not regions:  # whose order decides
        found["labels"].sort(key=str)
        found.pop(ORDER, None)
    return found


def _listed(value: object) -> list[Any]:
    return list(value) if isinstance(value, list) else []


def _channel(name: object) -> object:
    """Return a channel's name as nnU-Net reads it: case does not count for those it knows."""
    from nnunetv2.preprocessing.normalization.map_channel_name_to_normalization import (
        channel_name_to_normalization_mapping,
    )

    plain = name.casefold() if isinstance(name, str) else name
    return plain if plain in channel_name_to_normalization_mapping else name
