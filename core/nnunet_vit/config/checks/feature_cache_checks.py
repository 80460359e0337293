"""Whether features can be kept: the backbone, or its first blocks, must stay as they are."""

from nnunet_vit.config.draft import Draft
from nnunet_vit.errors import UserError
from nnunet_vit.tuning import method_of

KEY = "train.feature_cache"


def check_feature_cache(draft: Draft) -> None:
    """Refuse a cache of features that the training changes, or of parts of batches."""
    if draft.config.train.feature_cache is None or not draft.sound(KEY):
        return
    if draft.sound("model.tuning", "model.freeze_backbone", "lora.enabled"):
        _check_method(draft)
    parts = draft.config.train.gradient_accumulation
    if draft.sound("train.gradient_accumulation") and parts > 1:
        draft.add(
            "train.gradient_accumulation",
            f"given {parts} together with {KEY}; allowed: 1: of a frozen backbone nothing is kept "
            "for the backward pass",
        )


def _check_method(draft: Draft) -> None:
    try:
        method = method_of(draft.config)
    except UserError:  # refused by another check
        return
    if method.uses_adapters or method.trains_backbone == "all":
        draft.add(
            KEY,
            f"given together with tuning '{method.name}', which changes the features in each step; "
            "allowed: with model.tuning frozen or last_blocks, or null",
        )
