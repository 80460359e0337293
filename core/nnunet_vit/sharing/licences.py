"""Which pretrained weights a model was started from, and on what terms those are given."""

from nnunet_vit.backbones import family, is_timm
from nnunet_vit.config.models import ViTModelConfig
from nnunet_vit.errors import UserError

UNKNOWN = "not known here: look at the model card of those weights"
NO_WEIGHTS = "none: trained from random weights"


def weights_text(model: ViTModelConfig) -> str:
    """Return what a model's backbone was started from, for people.

    Args:
        model: of a run, with files by their names alone.
    """
    if not model.pretrained:
        return NO_WEIGHTS
    if model.checkpoint_path:
        return f"the file {model.checkpoint_path}"
    if model.repository:
        return f"the repository {model.repository} of the model hub"
    if is_timm(model.backbone):
        return "those that timm publishes"
    return _of_family(model.backbone, model.size_name)


def licence_text(model: ViTModelConfig) -> str:
    """Return the terms of those weights, as far as they are known; '' where there are none."""
    if not model.pretrained:
        return ""
    if is_timm(model.backbone):
        return UNKNOWN
    try:
        return family(model.backbone).licence
    except UserError:  # the package of the family is not installed
        return UNKNOWN


def _of_family(backbone: str, size: str | None) -> str:
    try:
        return family(backbone).weights_of(size)
    except UserError:
        return f"those of {backbone}"
