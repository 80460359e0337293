"""nnU-Net v2 with any ViT foundation model as backbone and any installed package as head."""

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

try:
    __version__ = version("nnunet-vit")
except PackageNotFoundError:  # a clone that has not been installed
    __version__ = "0.0.0"


def create_segmentation_model(head: str, num_classes: int, **arguments: Any) -> "nn.Module":  # noqa: ANN401
    """Build any registered head on any backbone; all arguments: `nnunet_vit.modeling.factory`.

    Shapes: the module maps images (B, in_channels, H, W) to logits (B, num_classes, H, W).
    """
    from nnunet_vit.modeling.factory import create_segmentation_model as build

    return build(head=head, num_classes=num_classes, **arguments)
