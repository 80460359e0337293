"""Frozen backbone: only the head is trained."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

    from nnunet_vit.config.models import ViTnnUNetConfig

NAME = "frozen"
SUMMARY = "the backbone stays as it was pretrained; only the head is trained"
ADAPTERS = False


def tune(model: "nn.Module", run: "ViTnnUNetConfig") -> None:
    """Take every parameter of the backbone out of training."""
    model.requires_grad_(False)
