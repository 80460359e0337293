"""The head's options: described, bounded, refused beyond their bounds, and buildable."""

from collections.abc import Iterator

from nnunet_vit.config.head_options import options_model, validate_options
from nnunet_vit.files.json_file import JsonMapping, JsonObject
from nnunet_vit.registry import catalogue
from nnunet_vit.registry.plugins import LoadedPlugin, load_plugin
from nnunet_vit.testing.contract_error import ContractError

HIDDEN_SIZE = 32
LOWER = ("minimum", "exclusiveMinimum")
UPPER = ("maximum", "exclusiveMaximum")
Schema = JsonMapping


def check_options(head: str) -> str:
    """Check names, descriptions, bounds and defaults; return how many options there are."""
    plugin = plugin_of(head)
    options, problems = validate_options(plugin, {})
    if options is None:
        names = ", ".join(".".join(map(str, key)) for key in problems)
        raise ContractError(
            f"options without a value: {names}.", fix="give every option a default."
        )
    fields = schemas(plugin)
    for name, (schema, description) in fields.items():
        if not description:
            raise ContractError(
                f"option {name} has no description.", fix='Field(..., description="…").'
            )
        for kind in schema:
            _check_bounded(name, kind)
            _check_refused(plugin, name, kind)
    if validate_options(plugin, {"no_such_option": 1})[0] is not None:
        raise ContractError(
            "an unknown option is accepted: a typing error in a run file would go unseen.",
            fix="leave extra='forbid' of HeadOptions as it is.",
        )
    return f"{len(fields)} in all"


def choices(head: str) -> list[JsonObject]:
    """Return the defaults, and each other value of each option that is a choice.

    They are small: `hidden_size`, where the head has it, is not the default.
    """
    plugin = plugin_of(head)
    small = validate_options(plugin, {"hidden_size": HIDDEN_SIZE})[0]
    base = {} if small is None else {"hidden_size": HIDDEN_SIZE}
    found: list[JsonObject] = [base]
    defaults = validate_options(plugin, {})[0]
    for name, (kinds, _) in schemas(plugin).items():
        for kind in kinds:
            values = [True, False] if kind.get("type") == "boolean" else kind.get("enum", [])
            found += [{**base, name: v} for v in values if v != getattr(defaults, name, None)]
    return found


def plugin_of(head: str) -> LoadedPlugin:
    """Return the installed head."""
    return load_plugin(catalogue.find(catalogue.HEADS, head))


def schemas(plugin: LoadedPlugin) -> dict[str, tuple[list[Schema], str]]:
    """Return the kinds of value that each option takes, as JSON schemas, and its description."""
    whole = options_model(plugin).model_json_schema()
    return {
        name: (list(_kinds(found, whole.get("$defs", {}))), found.get("description", ""))
        for name, found in whole.get("properties", {}).items()
    }


def _kinds(schema: Schema, definitions: Schema) -> Iterator[Schema]:
    if "$ref" in schema:
        yield from _kinds(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    elif "anyOf" in schema:
        for one in schema["anyOf"]:
            yield from _kinds(one, definitions)
    else:
        yield schema


def _check_bounded(name: str, kind: Schema) -> None:
    if "enum" in kind or "const" in kind:
        return
    if kind.get("type") in ("integer", "number"):
        missing = [side[0] for side in (LOWER, UPPER) if not set(side) & set(kind)]
        if missing:
            raise ContractError(
                f"option {name} has no {' and no '.join(missing)}.", fix="Field(ge=…, le=…)."
            )
    if kind.get("type") == "string" and "pattern" not in kind and "maxLength" not in kind:
        raise ContractError(
            f"option {name} takes any text.", fix='Literal["one", "other"], or a pattern.'
        )
    if kind.get("type") == "array" and "maxItems" not in kind:
        raise ContractError(
            f"option {name} takes a list of any length.", fix="Field(max_length=…)."
        )


def _check_refused(plugin: LoadedPlugin, name: str, kind: Schema) -> None:
    for bound, value in _beyond(kind):
        if validate_options(plugin, {name: value})[0] is not None:
            raise ContractError(
                f"option {name}: {value} is accepted, beyond its {bound}.",
                fix="leave strict=True of HeadOptions, and let no validator change values.",
            )


def _beyond(kind: Schema) -> Iterator[tuple[str, float]]:
    step = 1 if kind.get("type") == "integer" else 0.5
    for bound, beyond in {
        "minimum": -step,
        "exclusiveMinimum": 0,
        "maximum": step,
        "exclusiveMaximum": 0,
    }.items():
        if bound in kind:
            yield bound, kind[bound] + beyond
