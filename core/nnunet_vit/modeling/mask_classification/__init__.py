"""The former path of nnunet_vit.blocks.mask_classification, for heads written for version 0.1."""

import importlib
import sys

from nnunet_vit.blocks.mask_classification import MaskClassificationLoss, semantic_logits

__all__ = ["MaskClassificationLoss", "semantic_logits"]

# its modules, too, are the same ones under both names
for _name in ("loss", "matching", "points", "semantic", "targets"):
    _module = importlib.import_module(f"nnunet_vit.blocks.mask_classification.{_name}")
    sys.modules[f"{__name__}.{_name}"] = globals()[_name] = _module
