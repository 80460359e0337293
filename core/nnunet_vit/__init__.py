"""nnU-Net v2 with any ViT foundation model as backbone and any installed package as head."""

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nnunet_vit.modeling.factory import create_segmentation_model

__all__ = ["__version__", "create_segmentation_model"]

try:
    __version__ = version("nnunet-vit")
except PackageNotFoundError:  # a clone that has not been installed
    __version__ = "0.0.0"


def __getattr__(name: str) -> object:
    """Import the entry point when somebody asks for it: it brings torch, this module does not."""
    if name != "create_segmentation_model":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from nnunet_vit.modeling.factory import create_segmentation_model

    return create_segmentation_model
