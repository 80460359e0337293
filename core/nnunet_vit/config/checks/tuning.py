"""The fine-tuning method, and the older keys that speak of the same."""

from nnunet_vit.config.draft import Draft
from nnunet_vit.config.problems import shown
from nnunet_vit.errors import ConfigError
from nnunet_vit.tuning import method_of

_TRAINS_BACKBONE = ("full", "last_blocks")


def check_tuning(draft: Draft) -> None:
    """Judge `model.tuning`, and `lora.enabled` and `model.freeze_backbone` beside it."""
    name = draft.config.model.tuning
    if name is None or not draft.sound("model.tuning"):
        return
    try:
        method = method_of(draft.config)
    except ConfigError as error:
        draft.add("model.tuning", error.problem.removeprefix("model.tuning: "))
        return
    if draft.sound("lora") and draft.config.lora.enabled and not method.ADAPTERS:
        draft.add(
            "model.tuning",
            f"given {shown(name)} together with the section lora; allowed: a method with adapters, "
            "or lora.enabled: false",
        )
    frozen = draft.sound("model.freeze_backbone") and draft.config.model.freeze_backbone
    if frozen and name in _TRAINS_BACKBONE:
        draft.add(
            "model.freeze_backbone",
            f"given true together with tuning {shown(name)}; allowed: one of the two",
        )
