"""nnU-Net v2 with any ViT foundation model as backbone and any installed package as head."""

import importlib
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nnunet_vit.inference.trained_model import TrainedModel, load_model
    from nnunet_vit.modeling.factory import create_segmentation_model

__all__ = ["TrainedModel", "__version__", "create_segmentation_model", "load_model"]

PLACES = {
    "TrainedModel": "nnunet_vit.inference.trained_model",
    "load_model": "nnunet_vit.inference.trained_model",
    "create_segmentation_model": "nnunet_vit.modeling.factory",
}

try:
    __version__ = version("nnunet-vit")
except PackageNotFoundError:  # a clone that has not been installed
    __version__ = "0.0.0"


def __getattr__(name: str) -> object:
    """Import what somebody asks for: it brings torch, this module does not."""
    if name not in PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(PLACES[name]), name)
