"""What can be done to training patches beside nnU-Net's set: this folder's files, and plugins'.

A file has AUGMENTATIONS, a tuple of `Augmentation`. A package brings one by the hook
`training_augmentation` in the entry-point group nnunet_vit.augmentations.
"""

from dataclasses import replace
from functools import cache

from nnunet_vit.augmentation.kind import Augmentation, AugmentationOptions, PatchFacts, Transforms
from nnunet_vit.registry import catalogue
from nnunet_vit.registry.calling import described_by
from nnunet_vit.registry.lookup import checked_name, modules_of, one_named
from nnunet_vit.registry.plugins import MAIN_HOOKS, plugin_failures

__all__ = [
    "Augmentation",
    "AugmentationOptions",
    "PatchFacts",
    "named_augmentation",
    "own_augmentations",
]

HOOK = MAIN_HOOKS[catalogue.AUGMENTATIONS]
KEY = "train.augmentation"


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
    return one_named(
        catalogue.AUGMENTATIONS,
        name,
        own_augmentations(),
        outside=outside_augmentation,
        asked_by=KEY,
        noun="augmentation",
        others=others,
    )


def outside_augmentation(record: catalogue.PluginRecord) -> Augmentation:
    """Return the augmentation that an installed package describes, under its entry point's name.

    Raises:
        PluginError: the package is broken or describes something else.
    """
    found = described_by(record, Augmentation, "nnunet_vit.augmentation.Augmentation")
    checked_name(found.name, record, hook=HOOK, noun="augmentation")

    def added(
        transforms: Transforms, options: AugmentationOptions, patches: PatchFacts
    ) -> Transforms:
        with plugin_failures(f"{record.title}: added"):
            return found.added(transforms, options, patches)

    return replace(found, added=added)
