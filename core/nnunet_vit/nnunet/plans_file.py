"""nnUNetPlans.json, read and checked before anything is built on it."""

from collections.abc import Callable
from pathlib import Path

from nnunet_vit.errors import DataError, shortened
from nnunet_vit.files.json_file import JsonObject, kind_of, read_json
from nnunet_vit.nnunet.plan_classes import unknown_classes

PLANS = "nnUNetPlans"  # the name that nnU-Net gives its own
REDO = "`vit_cli train … --preprocess-again` makes it again from the raw data; or copy it again."
Check = Callable[[object], bool]


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and value not in ("", ".", "..") and not set("/\\") & set(value)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e30


def _list_of(check: Check) -> Check:
    return lambda value: isinstance(value, list) and bool(value) and all(map(check, value))


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


WHOLE: dict[str, tuple[Check, str]] = {
    "dataset_name": (_is_text, "a string"),
    "plans_name": (_is_text, "a string"),
    "image_reader_writer": (_is_text, "a string"),
    "transpose_forward": (_list_of(lambda value: value in (0, 1, 2)), "a list of axes"),
    "transpose_backward": (_list_of(lambda value: value in (0, 1, 2)), "a list of axes"),
    "foreground_intensity_properties_per_channel": (_is_object, "an object"),
}
CONFIGURATION: dict[str, tuple[Check, str]] = {
    "data_identifier": (_is_name, "the name of a folder"),
    "preprocessor_name": (_is_text, "a string"),
    "batch_size": (_is_count, "an integer above 0"),
    "patch_size": (_list_of(_is_count), "a list of integers above 0"),
    "spacing": (_list_of(_is_number), "a list of numbers above 0"),
    "normalization_schemes": (_list_of(_is_text), "a list of strings"),
    "use_mask_for_norm": (_list_of(lambda value: isinstance(value, bool)), "a list of booleans"),
    "architecture": (_is_object, "an object"),
}


def read_plans(path: Path) -> JsonObject:
    """Return nnU-Net's plans of a dataset; `resolved` checks the configuration that is used.

    Raises:
        DataError: the file cannot be read or is not what nnU-Net's planner writes.
    """
    plans = read_json(path, REDO)
    if not isinstance(plans, dict):
        raise DataError(f"{path} holds {kind_of(plans)}, not nnU-Net's plans.", REDO)
    configurations = plans.get("configurations")
    if not isinstance(configurations, dict) or not configurations:
        raise DataError(f"{path} has no configurations: it is not nnU-Net's plans.", REDO)
    wrong = [name for name, content in configurations.items() if not isinstance(content, dict)]
    if wrong:
        raise DataError(f"{path}: configurations {shortened(wrong)} are no objects.", REDO)
    _require(path, "", plans, needed=WHOLE)
    return plans


def resolved(path: Path, plans: JsonObject, name: str) -> JsonObject:
    """Return a configuration with what it inherits, checked.

    Args:
        path: of the plans, for messages.
        plans: as `read_plans` returns them.
        name: of a configuration that they have.

    Raises:
        DataError: something that is used is missing or of another type.
    """
    configuration = merged(plans, name)
    if configuration is None:
        raise DataError(
            f"{path}: what configuration '{name}' inherits from is not there or goes in a circle.",
            REDO,
        )
    needed = dict(CONFIGURATION)
    if "UNet_class_name" in configuration:  # plans of early releases, which nnU-Net still reads
        del needed["architecture"]
    _require(path, f"configuration '{name}': ", configuration, needed=needed)
    unknown = unknown_classes(plans, configuration)
    if unknown:
        raise DataError(f"{path}: {'; '.join(unknown)}.", REDO)
    return configuration


def merged(plans: JsonObject, name: str) -> JsonObject | None:
    """Return a configuration with what it inherits, or None where that cannot be found."""
    configurations, seen = plans["configurations"], [name]
    content = dict(configurations[name])
    while "inherits_from" in content:
        parent = content.pop("inherits_from")
        if not isinstance(parent, str) or parent in seen or parent not in configurations:
            return None
        seen.append(parent)
        content = {**configurations[parent], **content}
    return content


def _require(
    path: Path, where: str, content: JsonObject, *, needed: dict[str, tuple[Check, str]]
) -> None:
    problems = [
        f"{where}{key} is missing"
        if key not in content
        else f"{where}{key} is {str(content[key])[:60]!r}, needed: {kind}"
        for key, (check, kind) in needed.items()
        if key not in content or not check(content[key])
    ]
    if problems:
        raise DataError(f"{path}: {'; '.join(problems)}.", REDO)
