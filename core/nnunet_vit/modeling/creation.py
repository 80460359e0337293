"""The former path of nnunet_vit.modeling.loading, kept for code written for version 0.1."""

from nnunet_vit.modeling.loading import (
    LoadedBackbone,
    coverage_of,
    load_backbone,
    origin_of,
    pretrained_weights,
    weights_wanted,
)

__all__ = [
    "LoadedBackbone",
    "coverage_of",
    "load_backbone",
    "origin_of",
    "pretrained_weights",
    "weights_wanted",
]
