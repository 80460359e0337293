"""dataset.json and plans.json beside a model or its masks, checked when they are read."""

import contextlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from nnunet_vit import __version__
from nnunet_vit.data.description_file import read_description
from nnunet_vit.errors import DataError, ModelError
from nnunet_vit.files.json_file import JsonObject, kind_of, read_json
from nnunet_vit.nnunet.plans_file import read_plans, resolved

MODEL_FILES = ("plans.json", "dataset.json")
COPY_AGAIN = "copy the model folder again."


def model_folders(results: Path) -> list[Path]:
    """Return the model folders in a dataset's results; hidden ones are none, or no longer."""
    found = (path for path in results.iterdir() if not path.name.startswith("."))
    return sorted(path for path in found if (path / MODEL_FILES[0]).is_file())


def read_part(file: Path, keys: Mapping[str, type]) -> JsonObject:
    """Return the JSON of a file beside masks, with the keys that evaluation needs.

    Args:
        file: plans.json or dataset.json.
        keys: with the type of their values.

    Raises:
        ModelError: it is no JSON, or lacks keys.
    """
    with _of_model():
        content = read_json(file)
        if not isinstance(content, dict):
            raise DataError(f"{file} holds {kind_of(content)}, not an object.")
        wrong = [key for key, kind in keys.items() if not isinstance(content.get(key), kind)]
        if wrong:
            raise DataError(f"{file} is damaged: {', '.join(wrong)} missing or of another type.")
    return content


def read_model(folder: Path) -> tuple[JsonObject, JsonObject]:
    """Return plans.json and dataset.json of a model that this version can predict with.

    Raises:
        ConfigError: vit_cli did not make the plans.
        ModelError: a file is damaged, or a newer version wrote it.
    """
    plans_file, description_file = (folder / name for name in MODEL_FILES)
    with _of_model():
        plans = read_plans(plans_file)
        configuration = _configuration(plans_file, plans)
        if configuration not in plans["configurations"]:
            raise DataError(f"{plans_file} lacks its configuration '{configuration}'.")
        resolved(plans_file, plans, configuration)
        return plans, read_description(description_file)


@contextlib.contextmanager
def _of_model() -> Iterator[None]:
    """Turn what is wrong with a dataset's file into what is wrong with the model's copy."""
    try:
        yield
    except DataError as error:
        raise ModelError(error.problem, fix=COPY_AGAIN) from error


def _configuration(file: Path, plans: JsonObject) -> str:
    """Return the configuration of the run inside plans."""
    from pydantic import ValidationError

    from nnunet_vit.nnunet.plans import KEY, run_of_plans

    try:
        return run_of_plans(plans).data.configuration
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


def is_newer(version: object) -> bool:
    """Tell whether a version is later than this one."""
    numbers = [tuple(map(int, re.findall(r"\d+", str(v))[:3])) for v in (version, __version__)]
    return numbers[0] > numbers[1]
