"""DINOv2 (https://github.com/facebookresearch/dinov2): self-supervised ViTs with patch 14."""

from nnunet_vit.backbones.family import BackboneFamily

SIZES = ("small", "base", "large", "giant")

FAMILY = BackboneFamily(
    name="dinov2",
    summary="self-supervised on 142 million curated images (LVD-142M); _reg4: with registers",
    timm_name="vit_{size}_patch14_dinov2.lvd142m",
    sizes=(*SIZES, *(f"{size}_reg4" for size in SIZES)),
    default_size="large",
    patch_size=14,
    licence="Apache-2.0",
    timm_names={f"{size}_reg4": f"vit_{size}_patch14_reg4_dinov2.lvd142m" for size in SIZES},
)
