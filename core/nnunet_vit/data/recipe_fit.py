"""Whether a run's loss and augmentation fit its dataset: names of classes, kinds of channels."""

from collections.abc import Iterator, Sequence

from nnunet_vit.augmentation.kind import PatchFacts
from nnunet_vit.config.problems import path_text, unplaced_error
from nnunet_vit.config.recipe import AUGMENTATION, LOSS, chosen_augmentations, chosen_terms
from nnunet_vit.config.train_section import ViTTrainConfig
from nnunet_vit.data.class_shares import BACKGROUND, channel_names
from nnunet_vit.errors import did_you_mean
from nnunet_vit.files.json_file import JsonMapping
from nnunet_vit.losses.term import ClassOptions

Misfit = tuple[str, str]  # a key, and what is wrong with it
RGB_NAMES = '{"0": "rgb_to_0_1", "1": "rgb_to_0_1", "2": "rgb_to_0_1"}'


def check_recipe(
    settings: ViTTrainConfig, description: JsonMapping, schemes: Sequence[str]
) -> None:
    """Refuse a loss or an augmentation that means nothing for a dataset.

    Args:
        settings: the run's section `train`.
        description: dataset.json.
        schemes: nnU-Net's normalization of each channel, by class name.

    Raises:
        ConfigError: names all that does not fit.
        PluginError: a package that brings a term or an augmentation is broken.
    """
    found = [*_unknown_classes(settings, channel_names(description)), *_colours(settings, schemes)]
    if found:
        raise unplaced_error(found)


def _unknown_classes(settings: ViTTrainConfig, names: list[str]) -> Iterator[Misfit]:
    weights = settings.loss.class_weights
    if isinstance(weights, dict):
        yield from _unknown(list(weights), names, f"{path_text(LOSS)}.class_weights")
    foreground = [name for name in names if name != BACKGROUND]
    for chosen in chosen_terms(settings.loss):
        if isinstance(chosen.options, ClassOptions):
            key = f"{path_text(LOSS)}.{chosen.term.name}.classes"
            yield from _unknown(chosen.options.classes or [], foreground, key)


def _unknown(given: list[str], known: list[str], key: str) -> Iterator[Misfit]:
    unknown = [name for name in given if name not in known]
    if unknown:
        hint = did_you_mean(unknown[0], known)
        words = ", ".join(map(repr, unknown))
        yield (
            key,
            f"given {words}; the dataset has no such class.{hint} Allowed: {', '.join(known)}",
        )


def _colours(settings: ViTTrainConfig, schemes: Sequence[str]) -> Iterator[Misfit]:
    patches = PatchFacts((1, 1), schemes)
    for chosen in chosen_augmentations(settings.augmentation):
        if chosen.kind.needs_rgb and not patches.is_rgb:
            yield (
                f"{path_text(AUGMENTATION)}.{chosen.kind.name}",
                f"needs red, green and blue as they are in the files; nnU-Net gives this dataset's "
                f"channels as {', '.join(schemes)}. For pictures in colour: channel_names "
                f"{RGB_NAMES} in dataset.json, and --preprocess-again; else leave it out",
            )
