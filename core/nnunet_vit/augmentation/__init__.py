"""What can be done to training patches beside nnU-Net's set: this folder's files, and plugins'.

A file has AUGMENTATIONS, a tuple of `Augmentation`. A package brings one by the hook
`training_augmentation` in the entry-point group nnunet_vit.augmentations.
"""

from functools import cache

from nnunet_vit.augmentation.kind import Augmentation, AugmentationOptions, PatchFacts
from nnunet_vit.registry import catalogue
from nnunet_vit.registry.lookup import Kind, modules_of

__all__ = [
    "Augmentation",
    "AugmentationOptions",
    "PatchFacts",
    "named_augmentation",
    "own_augmentations",
]

KIND = Kind(
    catalogue.AUGMENTATIONS,
    Augmentation,
    "nnunet_vit.augmentation.Augmentation",
    "train.augmentation",
    "augmentation",
    "added",
)


@cache
def own_augmentations() -> dict[str, Augmentation]:
    """Return the augmentations of this folder by name; their transforms lie in a folder beside."""
    modules = modules_of(__name__, __path__, besides="kind")
    found = {kind.name: kind for module in modules for kind in module.AUGMENTATIONS}
    return dict(sorted(found.items()))


def named_augmentation(name: str, others: tuple[str, ...] = ()) -> Augmentation:
    """Return the augmentation of that name, from this folder or from an installed package.

    Args:
        name: as `train.augmentation` says it.
        others: what the key takes besides, for the error.

    Raises:
        ConfigError: nobody has it.
        PluginError: several have it, or the package that has it is broken.
    """
    return KIND.named(name, own_augmentations(), others=others)
