"""Stain jitter of histology (https://arxiv.org/abs/1808.05896): more or less of each dye."""

from pydantic import Field

from nnunet_vit.augmentation.kind import Augmentation, AugmentationOptions, PatchFacts, Transforms


class StainOptions(AugmentationOptions):
    """Keys of `stain`."""

    amount: float = Field(
        0.1, ge=0, le=0.3, description="each dye's amount is multiplied with 1 - this to 1 + this"
    )
    offset: float = Field(
        0.02,
        ge=0,
        le=0.3,
        description="added to or taken from each dye's amount, in natural units of optical density",
    )


def _added(transforms: Transforms, options: StainOptions, patches: PatchFacts) -> Transforms:
    from nnunet_vit.augmentation.transforms.nnunet_set import after_spatial
    from nnunet_vit.augmentation.transforms.stain_jitter import StainJitter

    jitter = StainJitter(options.strength * options.amount, options.strength * options.offset)
    return after_spatial(transforms, jitter, options.probability)


AUGMENTATIONS = (
    Augmentation(
        "stain",
        "changes the amounts of haematoxylin, eosin and DAB, of stained tissue",
        _added,
        StainOptions,
        needs_rgb=True,
    ),
)
