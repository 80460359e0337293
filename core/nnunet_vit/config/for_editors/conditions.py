"""What the schema says of keys that depend on each other; what it cannot say, `validate` does."""

from collections.abc import Mapping

from nnunet_vit.backbones import HUB_PREFIX, TIMM_PREFIX
from nnunet_vit.backbones.family import BackboneFamily
from nnunet_vit.config.model_section import DEFAULT_HEAD, MODEL_PATH_ALIASES, ViTModelConfig
from nnunet_vit.config.name_rules import GROUP_TABLE
from nnunet_vit.config.recipe_version import AUTO
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.tuning.method import TuningMethod

Methods = Mapping[str, TuningMethod | None]
SOME: JsonObject = {"not": {"type": "null"}}
A_PATH: JsonObject = {"type": "string", "minLength": 1}
A_HUB: JsonObject = {"type": "string", "pattern": f"^{HUB_PREFIX}"}
A_TIMM: JsonObject = {"type": "string", "pattern": f"^{TIMM_PREFIX}"}


def given(**keys: JsonObject) -> JsonObject:
    """Return the condition that all these keys are there and as described."""
    return {"type": "object", "properties": keys, "required": list(keys)}


def never(condition: JsonObject) -> JsonObject:
    """Return the rule that a condition does not hold."""
    return {"not": condition}


def whenever(condition: JsonObject, **keys: JsonObject) -> JsonObject:
    """Return the rule that keys, where they are there, are as described if a condition holds."""
    return {"if": condition, "then": {"properties": keys}}


def of_data() -> list[JsonObject]:
    """Return the rules between keys of `data`."""
    table = f"\\{GROUP_TABLE}$"
    pattern = {"type": "string", "not": {"pattern": table}}
    return [
        never(given(splits=SOME, stratify={"const": True})),
        whenever(given(groups=pattern), groups={"pattern": r"(^|[^\\])\((?!\?[^P])"}),
        whenever(given(splits={"type": "string"}), splits={"pattern": r"\.[jJ][sS][oO][nN]$"}),
    ]


def of_model(
    heads: Mapping[str, JsonObject], families: Mapping[str, BackboneFamily | None], methods: Methods
) -> list[JsonObject]:
    """Return the rules between keys of `model`.

    Args:
        heads: the schema of each head's options.
        families: of backbones; None where nothing is known.
        methods: of fine-tuning.
    """
    path: JsonObject = {"checkpoint_path": A_PATH}
    training = [n for n, method in methods.items() if method and method.trains_backbone != "none"]
    return [
        never(given(head=SOME, model_path=SOME)),
        never(given(vit_patch_size={}, patch_size={})),
        never(given(pretrained={"const": False}, **path)),
        never(given(repository=SOME, **path)),
        never(given(backbone=A_HUB, repository=SOME)),
        never(given(backbone=A_HUB, **path)),
        never(given(freeze_backbone={"const": True}, tuning={"enum": training})),
        *(_both_or_none(one, other) for one, other in
          (("input_mean", "input_std"), ("input_std", "input_mean"))),
        *(whenever({"not": given(**path)}, **{key: {"const": value}})
          for key, value in (("expected_coverage", 1), ("checkpoint_key", None))),
        *_of_names(heads, families),
    ]  # fmt: skip


def of_run(methods: Methods) -> list[JsonObject]:
    """Return the rules between sections.

    Args:
        methods: of fine-tuning.
    """
    plain = [name for name, method in methods.items() if method and not method.uses_adapters]
    alone = [name for name, method in methods.items() if method and method.leaves_backbone]
    off: JsonObject = {"not": given(enabled={"const": False})}
    rates: JsonObject = {
        "properties": {"backbone_lr": {"enum": [AUTO, None]}, "layer_decay": {"const": 1}}
    }
    frozen = {
        **given(model={**given(freeze_backbone={"const": True}), "not": given(tuning=SOME)}),
        "not": given(lora=off),
    }
    return [
        never(given(model=given(tuning={"enum": plain}), lora=off)),
        whenever(given(model=given(tuning={"enum": alone})), train=rates),
        whenever(frozen, train=rates),
        *_of_kept_features(methods, frozen),
    ]


def _of_kept_features(methods: Methods, frozen: JsonObject) -> list[JsonObject]:
    """Return what train.feature_cache asks of the method, by its name or the older keys."""
    changing = [
        name for name, method in methods.items()
        if method and (method.uses_adapters or method.trains_backbone == "all")
    ]  # fmt: skip
    named = given(model=given(tuning=SOME))
    kept = given(train=given(feature_cache=SOME))
    parts: JsonObject = {"type": "integer", "minimum": 2}
    return [
        never({**kept, "not": {"anyOf": [named, frozen]}}),
        never(given(train=given(feature_cache=SOME), model=given(tuning={"enum": changing}))),
        never(given(train=given(feature_cache=SOME, gradient_accumulation=parts))),
    ]


def _both_or_none(one: str, other: str) -> JsonObject:
    return {"if": given(**{one: SOME}), "then": given(**{other: SOME})}


def _of_names(
    heads: Mapping[str, JsonObject], families: Mapping[str, BackboneFamily | None]
) -> list[JsonObject]:
    """Return what head and backbone allow of the keys beside them."""
    unnamed: JsonObject = {"not": {"anyOf": [given(head=SOME), given(model_path=SOME)]}}
    rules = [
        whenever(given(head={"const": name}), decoder=schema) for name, schema in heads.items()
    ]
    rules += [
        whenever(given(model_path={"const": path}), decoder=heads[name])
        if name in heads
        else never(given(model_path={"const": path}))
        for path, name in MODEL_PATH_ALIASES.items()
    ]
    if DEFAULT_HEAD in heads:
        rules.append(whenever(unnamed, decoder=heads[DEFAULT_HEAD]))
    rules.append(whenever(given(backbone=A_TIMM), backbone_size={"const": None}))
    rules.append({"if": {"not": given(backbone=A_TIMM)},
                  "then": {"properties": {"repository": {"const": None}}}})  # fmt: skip
    for name, family in families.items():
        if family is not None:
            rules += _of_family(name, family)
    return rules


def _of_family(name: str, family: BackboneFamily) -> list[JsonObject]:
    this = given(backbone={"const": name})
    if name == ViTModelConfig.model_fields["backbone"].default:
        this = {"anyOf": [this, {"not": given(backbone={})}]}
    sizes: JsonObject = {"enum": [*family.sizes, None]}
    rules = [whenever(this, backbone_size=sizes)]
    if not family.fetched:
        own = {"anyOf": [given(checkpoint_path=A_PATH), given(pretrained={"const": False})]}
        rules.append({"if": this, "then": own})
    return rules
