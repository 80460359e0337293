"""Learning rates and batches."""

from nnunet_vit.config.draft import Draft
from nnunet_vit.config.problems import shown
from nnunet_vit.errors import UserError
from nnunet_vit.tuning import method_of


def check_rates(draft: Draft) -> None:
    """Refuse rates of a backbone that is not trained."""
    if not draft.sound("model.tuning", "model.freeze_backbone", "lora.enabled"):
        return
    try:
        method = method_of(draft.config)
    except UserError:  # refused by another check
        return
    if not method.leaves_backbone:
        return
    train = draft.config.train
    for key, value, default in (
        ("train.backbone_lr", train.backbone_lr, None),
        ("train.layer_decay", train.layer_decay, 1.0),
    ):
        if value != default and draft.sound(key):
            draft.add(
                key,
                f"given {shown(value)} with a frozen backbone; allowed: {shown(default)}, or a "
                "model.tuning that trains the backbone",
            )


def check_batch(draft: Draft) -> None:
    """Refuse more parts of a batch than it has images."""
    train = draft.config.train
    sound = draft.sound("train.batch_size", "train.gradient_accumulation")
    if sound and train.batch_size is not None and train.gradient_accumulation > train.batch_size:
        draft.add(
            "train.gradient_accumulation",
            f"given {train.gradient_accumulation} with batch_size {train.batch_size}; "
            f"allowed: at most {train.batch_size}, one image per part",
        )
