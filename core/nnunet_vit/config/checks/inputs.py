"""Folders, and the images' intensities."""

from nnunet_vit.config.draft import Draft
from nnunet_vit.config.problems import shown


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
