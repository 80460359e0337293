"""JSON files: read with errors that name them, written whole or not at all."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nnunet_vit.errors import DataError
from nnunet_vit.files.integrity import broken_link
from nnunet_vit.files.writing import replacing

JsonObject = dict[str, Any]  # dataset.json, plans, settings: what a JSON file or a run file holds
JsonMapping = Mapping[str, Any]  # the same, where it is read only


class DoubledKeyError(ValueError):
    """A key of a JSON object that is there twice."""


def without_doubles(pairs: list[tuple[str, object]]) -> JsonObject:
    """Return an object's pairs; json itself would let the last of equal keys win, unsaid.

    Raises:
        DoubledKeyError: a key is there twice.
    """
    found: JsonObject = {}
    for key, value in pairs:
        if key in found:
            raise DoubledKeyError(f"the key {key!r} is there twice; only the last one would count")
        found[key] = value
    return found


def read_json(path: Path, fix: str = "") -> Any:  # noqa: ANN401 - whatever the file holds
    """Return what a JSON file holds.

    Args:
        path: the file.
        fix: what to do where it cannot be read.

    Raises:
        DataError: it is not there, cannot be read, is no JSON, or has a key twice.
    """
    try:
        text = path.read_text(encoding="utf-8")
        if not text.strip():
            raise DataError(f"{path} is empty.", fix)
        return json.loads(text, object_pairs_hook=without_doubles)
    except DoubledKeyError as error:
        raise DataError(f"{path}: {error}.", fix or "remove one of them.") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} cannot be read as JSON: {error}.", fix) from error
    except OSError as error:
        problem, remedy = broken_link(path)
        if problem:
            raise DataError(f"{path} {problem}.", f"{remedy}.") from error
        raise DataError(f"{path} cannot be read: {error.strerror or error}.", fix) from error


def write_json(content: object, path: Path) -> None:
    """Write JSON under its final name only when it is complete."""
    with replacing(path) as unfinished:
        unfinished.write_text(json.dumps(content, indent=2), encoding="utf-8")


def kind_of(value: object) -> str:
    """Return what a JSON value is, in a word: "a list", "null"."""
    names = {dict: "an object", list: "a list", str: "a string", bool: "a truth value"}
    if value is None:
        return "null"
    return names.get(type(value), "a number")
