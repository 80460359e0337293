"""Pretrained weights from a file: read safely, understood by its names, loaded or refused whole."""

from nnunet_vit.modeling.weights.coverage import Coverage
from nnunet_vit.modeling.weights.load_weights import load_backbone_weights

__all__ = ["Coverage", "load_backbone_weights"]
