"""Elastic deformation, in the one resampling that nnU-Net's rotation and scaling do too."""

from pydantic import Field

from nnunet_vit.augmentation.kind import Augmentation, AugmentationOptions, PatchFacts, Transforms


class ElasticOptions(AugmentationOptions):
    """Keys of `elastic`."""

    probability: float = Field(0.2, gt=0, le=1, description="share of the patches that it changes")
    displacement: float = Field(
        0.03, gt=0, le=0.2, description="the largest, as a share of the patch's shorter edge"
    )
    smoothness: float = Field(
        0.08,
        ge=0.02,
        le=0.5,
        description="of the field of displacements: the sigma of its Gaussian, as a share of the "
        "patch's edges; a small one makes wrinkles",
    )


def _added(transforms: Transforms, options: ElasticOptions, patches: PatchFacts) -> Transforms:
    from nnunet_vit.augmentation.transforms.nnunet_set import spatial_of

    spatial = spatial_of(transforms)
    spatial.p_elastic_deform = options.probability
    spatial.elastic_deform_scale = (options.smoothness, options.smoothness)
    spatial.p_synchronize_def_scale_across_axes = 1
    spatial.elastic_deform_magnitude = (
        0.0,
        options.strength * options.displacement * min(patches.size),
    )
    return transforms


AUGMENTATIONS = (
    Augmentation(
        "elastic",
        "bends the patch by a smooth random field of displacements, mask and image alike",
        _added,
        ElasticOptions,
    ),
)
