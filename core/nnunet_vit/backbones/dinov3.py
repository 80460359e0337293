"""DINOv3 (https://github.com/facebookresearch/dinov3): self-supervised ViTs, rotary positions."""

from nnunet_vit.backbones.family import BackboneFamily

FAMILY = BackboneFamily(
    name="dinov3",
    summary="self-supervised on 1.7 billion web images (LVD-1689M); rotary positions, any size",
    timm_name="vit_{size}_patch16_dinov3.lvd1689m",
    sizes=("small", "small_plus", "base", "large", "huge_plus", "7b"),
    default_size="large",
    patch_size=16,
    licence="DINOv3 License",
)
