"""dataset.json and plans.json as they lie beside a model or its masks, checked when they are read."""

import json
import re
from pathlib import Path
from typing import Any

from nnunet_vit import __version__
from nnunet_vit.errors import ModelError

MODEL_FILES = ("plans.json", "dataset.json")
COPY_AGAIN = "copy the model folder again."
KEYS: dict[str, dict[str, type]] = {
    "plans.json": {
        "configurations": dict, "image_reader_writer": str, "transpose_forward": list,
        "original_median_spacing_after_transp": list, "plans_name": str,
    },
    "dataset.json": {"channel_names": dict, "labels": dict, "file_ending": str},
}  # fmt: skip
OF_CONFIGURATION = {"spacing", "normalization_schemes", "architecture", "patch_size"}


def read_part(file: Path) -> dict[str, Any]:
    """Return the JSON of a file beside a model or its masks, with the keys that it needs.

    Raises:
        ModelError: it is no JSON, or lacks keys.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{file} cannot be loaded: {error}.", fix=COPY_AGAIN) from error
    if not isinstance(content, dict):
        raise ModelError(
            f"{file} holds a {type(content).__name__}, not an object with keys.", fix=COPY_AGAIN
        )
    lacking = [
        key for key, kind in KEYS[file.name].items() if not isinstance(content.get(key), kind)
    ]
    if lacking:
        raise ModelError(
            f"{file} is damaged: {', '.join(lacking)} missing or of another type.", fix=COPY_AGAIN
        )
    return content


def check_run(file: Path, plans: dict[str, Any]) -> None:
    """Refuse plans whose run this version does not know, before anything else reads it.

    Raises:
        ConfigError: vit_cli did not make them.
        ModelError: they are damaged, or a newer version wrote them.
    """
    from pydantic import ValidationError

    from nnunet_vit.nnunet.plans import KEY, run_of_plans

    try:
        configuration = run_of_plans(plans).data.configuration
    except (ValidationError, AttributeError, KeyError, TypeError) as error:
        stored = plans[KEY].get("version", "") if isinstance(plans[KEY], dict) else ""
        if is_newer(stored):
            raise ModelError(
                f"{file} was written by nnunet-vit {stored}, this is {__version__}.",
                fix=f"update: pip install 'nnunet-vit>={stored}'",
            ) from error
        places = error.errors() if isinstance(error, ValidationError) else []
        key = ".".join(map(str, places[0]["loc"])) if places else KEY
        raise ModelError(
            f"{file} is damaged: its run cannot be read ({key}).", fix=COPY_AGAIN
        ) from error
    own = plans["configurations"].get(configuration)
    if not isinstance(own, dict) or not OF_CONFIGURATION <= set(own):
        raise ModelError(f"{file} is damaged: configuration '{configuration}'.", fix=COPY_AGAIN)


def is_newer(version: object) -> bool:
    """Tell whether a version is later than this one."""
    numbers = [tuple(map(int, re.findall(r"\d+", str(v))[:3])) for v in (version, __version__)]
    return numbers[0] > numbers[1]
