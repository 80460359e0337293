"""Full fine-tuning: every parameter of the backbone is trained."""

from typing import TYPE_CHECKING

from nnunet_vit.tuning.method import TuningMethod

if TYPE_CHECKING:
    from torch import nn

    from nnunet_vit.config.models import ViTnnUNetConfig


def _tune(model: "nn.Module", run: "ViTnnUNetConfig") -> None:
    """Leave the backbone as it is built."""
    model.requires_grad_(True)


METHODS = (
    TuningMethod(
        "full",
        "every parameter of the backbone is trained",
        _tune,
        trains_backbone="all",
        said_by_arguments=True,
    ),
)
