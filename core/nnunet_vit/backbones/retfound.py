"""RETFound (https://github.com/rmaphoh/RETFound): large ViTs for retinal images.

MAE variants are https://doi.org/10.1038/s41586-023-06555-x; the sizes are the published variants.
"""

from nnunet_vit.backbones.family import BackboneFamily

DINOV2 = ("dinov2_meh", "dinov2_shanghai")

FAMILY = BackboneFamily(
    name="retfound",
    summary="self-supervised on retinal images (colour fundus; mae_oct: OCT); ViT-Large",
    timm_name="vit_large_patch16_224.mae",
    sizes=("mae_cfp", "mae_oct", "mae_meh", "mae_shanghai", *DINOV2),
    default_size="mae_cfp",
    patch_size=16,
    licence="CC BY-NC 4.0",
    timm_names=dict.fromkeys(DINOV2, "vit_large_patch14_dinov2.lvd142m"),
    patch_sizes=dict.fromkeys(DINOV2, 14),
    weights="fetched by hand from YukunZhou on the Hugging Face hub after accepting the terms "
    "(https://github.com/rmaphoh/RETFound)",
    published_as={
        "mae_cfp": "RETFound_mae_natureCFP",
        "mae_oct": "RETFound_mae_natureOCT",
        "mae_meh": "RETFound_mae_meh",
        "mae_shanghai": "RETFound_mae_shanghai",
        "dinov2_meh": "RETFound_dinov2_meh",
        "dinov2_shanghai": "RETFound_dinov2_shanghai",
    },
    fetched=False,
)
