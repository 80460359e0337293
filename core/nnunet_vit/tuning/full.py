"""Full fine-tuning: every parameter of the backbone is trained."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

    from nnunet_vit.config.models import ViTnnUNetConfig

NAME = "full"
SUMMARY = "every parameter of the backbone is trained"
ADAPTERS = False


def tune(model: "nn.Module", run: "ViTnnUNetConfig") -> None:
    """Leave the backbone as it is built."""
    model.requires_grad_(True)
