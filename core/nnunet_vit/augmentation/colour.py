"""Colour jitter of red, green and blue: other cameras, lamps and settings."""

from pydantic import Field

from nnunet_vit.augmentation.kind import Augmentation, AugmentationOptions, PatchFacts, Transforms


class ColourOptions(AugmentationOptions):
    """Keys of `colour`."""

    brightness: float = Field(
        0.15, ge=0, le=0.3, description="the image is multiplied with 1 - this to 1 + this"
    )
    contrast: float = Field(
        0.15, ge=0, le=0.3, description="its differences from its mean grey likewise"
    )
    saturation: float = Field(
        0.25, ge=0, le=0.3, description="its pixels' differences from their grey likewise"
    )
    hue: float = Field(
        0.02, ge=0, le=0.16, description="its colours are turned by this share of the circle"
    )


def _added(transforms: Transforms, options: ColourOptions, patches: PatchFacts) -> Transforms:
    from nnunet_vit.augmentation.transforms.colour_jitter import ColourJitter
    from nnunet_vit.augmentation.transforms.nnunet_set import after_spatial

    jitter = ColourJitter(
        *(
            options.strength * width
            for width in (options.brightness, options.contrast, options.saturation, options.hue)
        )
    )
    return after_spatial(transforms, jitter, options.probability)


AUGMENTATIONS = (
    Augmentation(
        "colour",
        "changes brightness, contrast, saturation and hue of the whole patch",
        _added,
        ColourOptions,
        needs_rgb=True,
    ),
)
