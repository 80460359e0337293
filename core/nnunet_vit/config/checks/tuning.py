"""The fine-tuning method, and the older keys that speak of the same."""

from nnunet_vit.config.draft import Draft
from nnunet_vit.config.problems import shown
from nnunet_vit.errors import PluginError, UserError
from nnunet_vit.tuning import method_of


def check_tuning(draft: Draft) -> None:
    """Validate `model.tuning`, and `lora.enabled` and `model.freeze_backbone` beside it."""
    name = draft.config.model.tuning
    if name is None or not draft.sound("model.tuning"):
        return
    try:
        method = method_of(draft.config)
    except UserError as error:
        cause = error if isinstance(error, PluginError) else None
        draft.add("model.tuning", str(error).removeprefix("model.tuning: "), cause=cause)
        return
    if draft.sound("lora") and draft.config.lora.enabled and not method.uses_adapters:
        draft.add(
            "model.tuning",
            f"given {shown(name)} together with the section lora; allowed: a method with adapters, "
            "or lora.enabled: false",
        )
    frozen = draft.sound("model.freeze_backbone") and draft.config.model.freeze_backbone
    if frozen and method.trains_backbone != "none":
        draft.add(
            "model.freeze_backbone",
            f"given true together with tuning {shown(name)}; allowed: one of the two",
        )
