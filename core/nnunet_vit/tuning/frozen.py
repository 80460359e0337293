"""Frozen backbone: only the head is trained."""

from typing import TYPE_CHECKING

from nnunet_vit.tuning.method import TuningMethod

if TYPE_CHECKING:
    from torch import nn

    from nnunet_vit.config.models import ViTnnUNetConfig


def _tune(model: "nn.Module", run: "ViTnnUNetConfig") -> None:
    """Take every parameter of the backbone out of training."""
    model.requires_grad_(False)


METHODS = (
    TuningMethod(
        "frozen",
        "the backbone stays as it was pretrained; only the head is trained",
        _tune,
        said_by_arguments=True,
    ),
)
