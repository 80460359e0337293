"""The run's augmentation, made from nnU-Net's list of transforms."""

from typing import TYPE_CHECKING

from batchgeneratorsv2.transforms.utils.compose import ComposeTransforms

from nnunet_vit.augmentation.kind import PatchFacts
from nnunet_vit.augmentation.transforms.nnunet_set import of_strength, without_stopwatch
from nnunet_vit.config.augmentation_section import AugmentationSection
from nnunet_vit.config.recipe import chosen_augmentations
from nnunet_vit.errors import PluginError

if TYPE_CHECKING:
    from nnunet_vit.training.trainer import nnUNetTrainer_vit


def patch_facts(trainer: "nnUNetTrainer_vit") -> PatchFacts:
    """Return what augmentations are to know of a training's patches."""
    manager = trainer.configuration_manager
    height, width = manager.patch_size
    return PatchFacts((height, width), [str(each) for each in manager.normalization_schemes])


def transforms_of_run(
    usual: ComposeTransforms, section: AugmentationSection, patches: PatchFacts
) -> ComposeTransforms:
    """Return nnU-Net's transforms as a run wants them.

    Args:
        usual: nnU-Net's own, which are changed.
        section: the run's.
        patches: that they get.

    Raises:
        PluginError: a package's augmentation gives no list of transforms.
    """
    transforms = without_stopwatch(usual.transforms)
    if section.strength != 1:
        transforms = of_strength(transforms, section.strength)
    for chosen in chosen_augmentations(section):
        transforms = chosen.kind.added(transforms, chosen.options, patches)
        if not isinstance(transforms, list) or not all(map(callable, transforms)):
            raise PluginError(
                f"The augmentation '{chosen.kind.name}' returned {type(transforms).__name__}; "
                "needed: a list of transforms."
            )
    return ComposeTransforms(transforms)
