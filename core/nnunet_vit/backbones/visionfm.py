"""VisionFM (https://github.com/ABILab-CUHK/VisionFM): a base ViT per ophthalmic modality.

The sizes are the modalities. Each was trained with the statistics of its own images; those of grey
modalities are one number, which stands for all three channels here.
"""

from nnunet_vit.backbones.family import RGB, BackboneFamily


def _grey(mean: float, std: float) -> tuple[RGB, RGB]:
    return (mean, mean, mean), (std, std, std)


FUNDUS: tuple[RGB, RGB] = ((0.423737, 0.260946, 0.128404), (0.294825, 0.201674, 0.136680))

FAMILY = BackboneFamily(
    name="visionfm",
    summary="self-supervised on 3.4 million ophthalmic images; ViT-Base, one per modality",
    timm_name="vit_base_patch16_224.mae",
    sizes=("fundus", "oct", "ffa", "ubm", "external", "slit_lamp", "mri", "ultrasound"),
    default_size="fundus",
    patch_size=16,
    licence="research and education only, no commercial use",
    mean=FUNDUS[0],
    std=FUNDUS[1],
    statistics={
        "oct": _grey(0.210919, 0.175989),
        "ffa": ((0.202049, 0.202051, 0.202011), (0.174060, 0.174042, 0.174012)),
        "ubm": _grey(0.096111, 0.209779),
        "external": ((0.493625, 0.363248, 0.259570), (0.320010, 0.271094, 0.219916)),
        "slit_lamp": ((0.555667, 0.402886, 0.388579), (0.265167, 0.233112, 0.239036)),
        "mri": _grey(0.173689, 0.161987),
        "ultrasound": ((0.059892, 0.059787, 0.056695), (0.154277, 0.155049, 0.144646)),
    },
    weights="fetched by hand from the table in https://github.com/ABILab-CUHK/VisionFM",
    published_as={
        "fundus": "Fundus",
        "oct": "OCT",
        "ffa": "FFA",
        "ubm": "UBM",
        "external": "External Eye",
        "slit_lamp": "Slit Lamp",
        "mri": "MRI",
        "ultrasound": "Ultrasound",
    },
    fetched=False,
)
