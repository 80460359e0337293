"""The JSON schema of the run file, with the names and the options of what is installed."""

from collections.abc import Iterable

from nnunet_vit.backbones import HUB_PREFIX, REPOSITORY, TIMM_PREFIX
from nnunet_vit.config.augmentation_section import NAMED
from nnunet_vit.config.for_editors import conditions
from nnunet_vit.config.for_editors.installed_options import (
    Definitions,
    augmentation_schemas,
    families,
    head_schemas,
    methods,
    term_schemas,
    tracker_schemas,
)
from nnunet_vit.config.loss_section import NNUNET
from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.config.name_rules import NAME
from nnunet_vit.files.json_file import JsonObject

DIALECT = "https://json-schema.org/draft/2020-12/schema"
NOTHING: JsonObject = {"type": "null"}
A_MODULE = r"^[^\W\d]\w*(\.[^\W\d]\w*)*$"


def run_schema() -> JsonObject:
    """Return the schema as JSON; broken packages are in it by their names alone."""
    schema = ViTnnUNetConfig.model_json_schema()
    sections = schema["$defs"]
    defined = Definitions(sections)
    known, tunings = families(), methods()
    heads = head_schemas(defined)
    _extend_model(sections["ViTModelConfig"], heads, known, tunings=tunings)
    _extend_loss(sections["LossSection"], *term_schemas(defined))
    _extend_augmentation(sections["AugmentationSection"], augmentation_schemas(defined))
    schema["properties"]["trackers"] |= _trackers(tracker_schemas(defined))
    for key in sections["PathsConfig"]["properties"].values():
        key["anyOf"][0]["pattern"] = r"^[^\x00]+$"
    sections["DataConfig"]["allOf"] = conditions.of_data()
    sections["ViTModelConfig"]["allOf"] = conditions.of_model(heads, known, tunings)
    schema["allOf"] = conditions.of_run(tunings)
    return {"$schema": DIALECT, "title": "run file of nnunet-vit", **_without_titles(schema)}


def _extend_model(
    section: JsonObject, heads: Iterable[str], known: Iterable[str], *, tunings: Iterable[str]
) -> None:
    keys = section["properties"]
    keys["head"]["anyOf"] = [{"enum": list(heads)}, NOTHING]
    keys["tuning"]["anyOf"] = [{"enum": list(tunings)}, NOTHING]
    del keys["backbone"]["type"]
    keys["backbone"]["anyOf"] = [
        {"enum": list(known)},
        {"type": "string", "pattern": f"^{TIMM_PREFIX}{NAME.pattern}$"},
        {"type": "string", "pattern": f"^{HUB_PREFIX}{REPOSITORY.pattern}$"},
    ]
    keys["patch_size"] = {**keys["vit_patch_size"], "deprecated": True}
    keys["model_path"]["anyOf"] = [
        {"type": "string", "maxLength": 200, "pattern": A_MODULE},
        NOTHING,
    ]
    keys["repository"]["anyOf"] = [
        {"type": "string", "pattern": f"^{REPOSITORY.pattern}$"},
        NOTHING,
    ]


def _extend_loss(section: JsonObject, terms: JsonObject, beside: list[str]) -> None:
    """Add the terms of the loss; some of them do only beside others."""
    _, own = section["anyOf"]
    own["properties"] |= terms
    own["additionalProperties"] = False
    own["minProperties"] = 1
    for branch in own["properties"]["class_weights"]["anyOf"]:
        if "additionalProperties" in branch:
            branch["minProperties"] = 1
    alone = [name for name in terms if name not in beside]
    own["if"] = {"anyOf": [{"required": [name]} for name in beside]}
    own["then"] = {"anyOf": [{"required": [name]} for name in alone]}
    section["anyOf"] = [{"enum": [NNUNET, *alone]}, own]


def _extend_augmentation(section: JsonObject, added: JsonObject) -> None:
    _, own = section["anyOf"]
    own["properties"] |= added
    own["additionalProperties"] = False
    section["anyOf"] = [{"enum": list(NAMED)}, own]


def _trackers(known: JsonObject) -> JsonObject:
    by_name = {name: {"anyOf": [options, NOTHING]} for name, options in known.items()}
    return {
        "anyOf": [
            {"type": "array", "items": {"enum": list(known)}},
            {"type": "object", "properties": by_name, "additionalProperties": False},
        ]
    }


def _without_titles(node: JsonObject) -> JsonObject:
    """Return a schema without pydantic's titles, which repeat the keys."""
    kept: JsonObject = {}
    for key, value in node.items():
        if key == "title" and isinstance(value, str):
            continue
        if isinstance(value, dict):
            kept[key] = _without_titles(value)
        elif isinstance(value, list):
            kept[key] = [_without_titles(v) if isinstance(v, dict) else v for v in value]
        else:
            kept[key] = value
    return kept
