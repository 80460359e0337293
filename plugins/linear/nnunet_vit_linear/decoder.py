"""A linear classifier per patch, as in the dense evaluation of DINOv2 (https://arxiv.org/abs/2304.07193)."""

from torch import Tensor, nn
from torch.nn import functional

from nnunet_vit.modeling.backbone import ViTBackbone


class LinearSegmentation(nn.Module):
    """Backbone, normalization, 1 x 1 convolution, bilinear upsampling."""

    def __init__(self, backbone: ViTBackbone, num_classes: int, dropout: float) -> None:
        """Build the classifier for the backbone's width."""
        super().__init__()
        self.backbone = backbone
        self.normalization = nn.GroupNorm(1, backbone.embed_dim)
        self.dropout = nn.Dropout2d(dropout)
        self.classifier = nn.Conv2d(backbone.embed_dim, num_classes, kernel_size=1)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, C, H, W) to logits (B, num_classes, H, W)."""
        (features,) = self.backbone.feature_maps(images, [-1])
        logits = self.classifier(self.dropout(self.normalization(features)))
        return functional.interpolate(logits, size=images.shape[-2:], mode="bilinear")
