"""A JSON file beside the preprocessed data, read with errors that name it."""

import json
from pathlib import Path
from typing import Any

from nnunet_vit.errors import DataError


def read_json(path: Path, fix: str = "") -> Any:  # noqa: ANN401 - whatever the file holds
    """Return what a JSON file holds.

    Args:
        path: the file.
        fix: what to do where it cannot be read.

    Raises:
        DataError: it is not there, cannot be read, or is no JSON.
    """
    try:
        text = path.read_text(encoding="utf-8")
        if not text.strip():
            raise DataError(f"{path} is empty.", fix)
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} cannot be read as JSON: {error}.", fix) from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.", fix) from error


def kind_of(value: object) -> str:
    """Return what a JSON value is, in a word: "a list", "null"."""
    names = {dict: "an object", list: "a list", str: "a text", bool: "a truth value"}
    if value is None:
        return "null"
    return names.get(type(value), "a number")
