"""DINOv2 (https://github.com/facebookresearch/dinov2): self-supervised ViTs with patch 14."""

from nnunet_vit.backbones.family import BackboneFamily

FAMILY = BackboneFamily(
    name="dinov2",
    summary="self-supervised on 142 million curated images (LVD-142M)",
    timm_name="vit_{size}_patch14_dinov2.lvd142m",
    sizes=("small", "base", "large", "giant"),
    default_size="large",
    patch_size=14,
    licence="Apache-2.0",
)
