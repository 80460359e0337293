"""The former path of nnunet_vit.blocks.mask_classification, for heads written for version 0.1."""

from nnunet_vit.blocks.mask_classification import MaskClassificationLoss, semantic_logits

__all__ = ["MaskClassificationLoss", "semantic_logits"]
