"""For heads that predict a set of masks with a class each: their loss, and logits from the set.

Mask2Former (https://arxiv.org/abs/2112.01527) and EoMT (https://arxiv.org/abs/2503.19108).
"""

from nnunet_vit.blocks.mask_classification.loss import MaskClassificationLoss
from nnunet_vit.blocks.mask_classification.semantic import semantic_logits

__all__ = ["MaskClassificationLoss", "semantic_logits"]
