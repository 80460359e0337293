"""What is trained and how: the method, rates, batches, folders and intensities."""

from nnunet_vit.config.draft import Draft
from nnunet_vit.config.problems import shown
from nnunet_vit.config.recipe_version import AUTO
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
    for key, value, allowed in (
        ("train.backbone_lr", train.backbone_lr, (AUTO, None)),
        ("train.layer_decay", train.layer_decay, (1.0,)),
    ):
        if value not in allowed and draft.sound(key):
            draft.add(
                key,
                f"given {shown(value)} with a frozen backbone; allowed: "
                f"{', '.join(map(shown, allowed))}, or a model.tuning that trains the backbone",
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


def check_folders(draft: Draft) -> None:
    """Validate the section `paths`."""
    for name, folder in draft.config.paths:
        if folder is not None and (not folder or "\0" in folder):
            draft.add(
                f"paths.{name}",
                f"given {shown(folder)}; allowed: a folder, or null for the variable nnUNet_{name}",
            )


def check_intensities(draft: Draft) -> None:
    """Validate `model.input_mean` and `model.input_std`: both or none, of one length."""
    if not draft.sound("model.input_mean", "model.input_std"):
        return
    mean, std = draft.config.model.input_mean, draft.config.model.input_std
    if (mean is None) != (std is None):
        given, lacking = ("input_mean", "input_std") if std is None else ("input_std", "input_mean")
        draft.add(f"model.{given}", f"given without {lacking}; allowed: both or none")
    elif mean is not None and std is not None and len(mean) != len(std):
        draft.add(
            "model.input_std",
            f"given {shown(std)} with input_mean {shown(mean)}; "
            "allowed: one value per input channel in both",
        )
