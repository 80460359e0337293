"""plans.json and dataset.json without what holds on the exporter's machine alone."""

import copy
from collections.abc import Callable, Iterator

from nnunet_vit.errors import ModelError
from nnunet_vit.files.json_file import JsonMapping, JsonObject
from nnunet_vit.nnunet.plans import KEY
from nnunet_vit.sharing.free_text import without_paths

CASES = "dataset"  # nnU-Net's list of cases with their files
DESCRIBED = {  # what prediction reads of dataset.json, and what tells people of the data
    "channel_names", "modality", "labels", "regions_class_order", "file_ending",
    "overwrite_image_reader_writer", "numTraining", "name", "description", "reference", "licence",
    "license", "release",
}  # fmt: skip


def portable_description(description: JsonMapping) -> JsonObject:
    """Return dataset.json with what prediction and people need: no cases, no paths."""
    kept = {key: value for key, value in description.items() if key in DESCRIBED}
    return dict(_each_text(kept, without_paths))


def portable_plans(plans: JsonMapping) -> JsonObject:
    """Return plans with files by their names alone, and without the run's trackers.

    Raises:
        ModelError: the network is built with a file of this machine.
    """
    own = copy.deepcopy(dict(plans))
    run = own[KEY]["run"]
    run.pop("paths", None)
    run["trackers"] = []
    for key in ("groups", "stratify", "splits"):  # of the cases, which stay here
        run["data"].pop(key, None)
    architecture = own["configurations"][run["data"]["configuration"]]["architecture"]
    for model in (run["model"], architecture["arch_kwargs"]["model"]):
        model["checkpoint_path"] = without_paths(model["checkpoint_path"])
        _refuse_paths(model)
    return dict(_each_text(own, without_paths))


def _refuse_paths(model: JsonMapping) -> None:
    found = [f"model.{key}: {text}" for key, text in _texts(model) if without_paths(text) != text]
    if found:
        raise ModelError(
            f"The network is built with files of this machine, which do not travel: "
            f"{'; '.join(found)}.",
            fix="bring their content in the head's own package.",
        )


def _texts(content: object, where: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(content, str):
        yield where, content
    elif isinstance(content, dict):
        for key, value in content.items():
            yield from _texts(value, f"{where}.{key}".lstrip("."))
    elif isinstance(content, list | tuple):
        for number, value in enumerate(content):
            yield from _texts(value, f"{where}[{number}]")


def _each_text(content: object, change: Callable[[str], str]) -> "JsonObject":
    """Return a copy of JSON with every text changed, the keys of objects apart."""
    if isinstance(content, dict):
        return {key: _each_text(value, change) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_each_text(value, change) for value in content]  # type: ignore[return-value]
    return change(content) if isinstance(content, str) else content  # type: ignore[return-value]
