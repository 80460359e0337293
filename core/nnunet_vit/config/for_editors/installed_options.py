"""The names that a run file may give, and the options of each, from what is installed."""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel

from nnunet_vit import augmentation, backbones, losses, trackers, tuning
from nnunet_vit.backbones.family import BackboneFamily
from nnunet_vit.config.head_options import options_model
from nnunet_vit.errors import UserError
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.registry import catalogue
from nnunet_vit.registry.plugins import load_plugin
from nnunet_vit.tuning.method import TuningMethod

REF = "#/$defs/"
FREE: JsonObject = {"type": "object"}  # of a package that is broken: nothing is known


class Definitions:
    """The schemas of options' models, gathered under names that do not clash."""

    def __init__(self, defined: JsonObject) -> None:
        """Add to `defined`, the $defs of the whole schema."""
        self._defined = defined

    def add(self, name: str, model: type[BaseModel]) -> JsonObject:
        """Add a model's schema and those that it refers to; return the reference to it."""
        try:
            schema = model.model_json_schema(ref_template=f"{REF}{name}.{{model}}")
        except Exception:  # pydantic raises errors of several kinds for types of a plugin's own
            return dict(FREE)
        for inner, one in schema.pop("$defs", {}).items():
            self._defined[f"{name}.{inner}"] = one
        self._defined[name] = schema
        return {"$ref": f"{REF}{name}"}

    def or_number(self, name: str, model: type[BaseModel], number: str) -> JsonObject:
        """Add a model's schema; return what takes a section, or its number alone."""
        alone = model.model_json_schema()["properties"][number]
        return {"anyOf": [alone, self.add(name, model)]}


def head_schemas(defined: Definitions) -> dict[str, JsonObject]:
    """Return the schema of `model.decoder` for each installed head."""
    found = {}
    for name in catalogue.installed(catalogue.HEADS):
        model = _found(lambda name=name: options_model(  # type: ignore[misc]
            load_plugin(catalogue.find(catalogue.HEADS, name))))  # fmt: skip
        found[name] = defined.add(f"head.{name}", model) if model else dict(FREE)
    return found


def families() -> dict[str, BackboneFamily | None]:
    """Return the installed families by name; None: of a package that is broken."""
    return _all_of(backbones.own_families(), catalogue.BACKBONES, backbones.family)


def methods() -> dict[str, TuningMethod | None]:
    """Return the installed fine-tuning methods by name; None: of a package that is broken."""
    return _all_of(tuning.own_methods(), catalogue.TUNING, tuning.named_method)


def term_schemas(defined: Definitions) -> tuple[dict[str, JsonObject], list[str]]:
    """Return the schema of each term of `train.loss`, and the terms that stand beside others."""
    terms = _all_of(losses.own_terms(), catalogue.LOSSES, losses.named_term)
    schemas = {
        name: defined.or_number(f"term.{name}", term.options, "weight") if term else {}
        for name, term in terms.items()
    }
    return schemas, [name for name, term in terms.items() if term and not term.stands_alone]


def augmentation_schemas(defined: Definitions) -> dict[str, JsonObject]:
    """Return the schema of each key of `train.augmentation` that adds something."""
    kinds = _all_of(
        augmentation.own_augmentations(), catalogue.AUGMENTATIONS, augmentation.named_augmentation
    )
    return {
        name: defined.or_number(f"augmentation.{name}", kind.options, "strength") if kind else {}
        for name, kind in kinds.items()
    }


def tracker_schemas(defined: Definitions) -> dict[str, JsonObject]:
    """Return the schema of each tracker's keys."""
    known = _all_of(trackers.own_trackers(), catalogue.TRACKERS, trackers.named_tracker)
    return {
        name: defined.add(f"tracker.{name}", tracker.options) if tracker else dict(FREE)
        for name, tracker in known.items()
    }


# Any: a thing of each kind, which mypy follows through the type of `find`
def _all_of(own: Mapping[str, Any], group: str, find: Callable[[str], Any]) -> dict[str, Any]:
    names = dict.fromkeys([*own, *catalogue.installed(group)])
    return {name: _found(lambda name=name: find(name)) for name in names}  # type: ignore[misc]


def _found(find: Callable[[], Any]) -> Any:  # noqa: ANN401
    try:
        return find()
    except UserError:
        return None
