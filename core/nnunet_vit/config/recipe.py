"""What `train.loss` and `train.augmentation` name: terms and augmentations with their options."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel

from nnunet_vit.augmentation import named_augmentation
from nnunet_vit.augmentation.kind import ChosenAugmentation
from nnunet_vit.config.augmentation_section import NAMED, AugmentationSection
from nnunet_vit.config.loss_section import NNUNET, LossSection
from nnunet_vit.config.named_options import read_options
from nnunet_vit.config.problems import Parts, path_text, unplaced_error
from nnunet_vit.config.train_section import ViTTrainConfig
from nnunet_vit.errors import PluginError, UserError
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.losses import named_term
from nnunet_vit.losses.term import ChosenTerm

LOSS: Parts = ("train", "loss")
AUGMENTATION: Parts = ("train", "augmentation")
USUAL_TERMS: JsonObject = {"dice": 1.0, "cross_entropy": 1.0}
OWN_KEYS = (*AugmentationSection.model_fields, *NAMED)
Thing = TypeVar("Thing")


@dataclass(frozen=True)
class Fault:
    """What is wrong with a key.

    Attributes:
        key: below the section's; empty: the section itself.
        text: what was given and what is allowed.
        cause: the plugin's error behind it.
    """

    key: Parts
    text: str
    cause: PluginError | None = None


def loss_of(section: LossSection) -> tuple[list[ChosenTerm], list[Fault]]:
    """Return the terms of a loss with validated options, and what is wrong with the others."""
    chosen: list[ChosenTerm] = []
    faults: list[Fault] = []
    for name, given in (section.terms or USUAL_TERMS).items():
        term = _named(named_term, name, (NNUNET,), faults=faults)
        if term is not None:
            options, texts = read_options(term.options, given, "weight", name=name)
            chosen += [ChosenTerm(term, options)] if options else []
            faults += [Fault((name, *key), text) for key, text in texts.items()]
    return chosen, faults


def augmentation_of(section: AugmentationSection) -> tuple[list[ChosenAugmentation], list[Fault]]:
    """Return what is added to nnU-Net's set, and what is wrong with the rest."""
    chosen: list[ChosenAugmentation] = []
    faults: list[Fault] = []
    for name, given in section.added.items():
        kind = _named(named_augmentation, name, OWN_KEYS, faults=faults)
        if kind is not None:
            options, texts = read_options(kind.options, given, "strength", name=name)
            chosen += [ChosenAugmentation(kind, options)] if options else []
            faults += [Fault((name, *key), text) for key, text in texts.items()]
    return chosen, faults


def resolved_loss(section: LossSection) -> LossSection:
    """Return a valid loss with all options written out, nnU-Net's own where it means that."""
    terms = {each.term.name: each.options.model_dump(mode="json") for each in loss_of(section)[0]}
    usual = {name: named_term(name).options().model_dump(mode="json") for name in USUAL_TERMS}
    return LossSection(class_weights=section.class_weights, **({} if terms == usual else terms))


def resolved_augmentation(section: AugmentationSection) -> AugmentationSection:
    """Return a valid augmentation with all options written out."""
    added = {
        each.kind.name: each.options.model_dump(mode="json") for each in augmentation_of(section)[0]
    }
    return AugmentationSection(strength=section.strength, mirror=section.mirror, **added)


def changed_options(train: ViTTrainConfig) -> dict[str, JsonObject]:
    """Return the loss' and the augmentation's options that are not the usual ones, by section.

    An option that a later version adds is not among them, so that it does not rename a run.
    """
    terms, added = loss_of(train.loss)[0], augmentation_of(train.augmentation)[0]
    return {
        "loss": {each.term.name: _changed(each.options) for each in terms},
        "augmentation": {each.kind.name: _changed(each.options) for each in added},
    }


def _changed(options: BaseModel) -> JsonObject:
    return options.model_dump(mode="json", exclude_defaults=True)


def chosen_terms(section: LossSection) -> list[ChosenTerm]:
    """Return the terms of a loss of a run.

    Raises:
        ConfigError: one is not installed, or does not take these options.
        PluginError: the package of one is broken.
    """
    chosen, faults = loss_of(section)
    _refuse(LOSS, faults)
    return chosen


def chosen_augmentations(section: AugmentationSection) -> list[ChosenAugmentation]:
    """Return what a run adds to nnU-Net's set.

    Raises:
        ConfigError: one is not installed, or does not take these options.
        PluginError: the package of one is broken.
    """
    chosen, faults = augmentation_of(section)
    _refuse(AUGMENTATION, faults)
    return chosen


def _named(
    find: Callable[[str, tuple[str, ...]], Thing],
    name: str,
    others: tuple[str, ...],
    *,
    faults: list[Fault],
) -> Thing | None:
    """Return what has that name, or note that nothing sound has it."""
    try:
        return find(name, others)
    except UserError as error:
        text = str(error)
        for section in (LOSS, AUGMENTATION):
            text = text.removeprefix(f"{path_text(section)}: ")
        faults.append(Fault((name,), text, error if isinstance(error, PluginError) else None))
        return None


def _refuse(section: Parts, faults: list[Fault]) -> None:
    if len(faults) == 1 and faults[0].cause is not None:
        raise faults[0].cause
    if faults:
        raise unplaced_error([(path_text((*section, *each.key)), each.text) for each in faults])


def loss_text(section: LossSection) -> str:
    """Return a loss in a line for people."""
    if section.is_nnunet:
        return f"{NNUNET}: nnU-Net's Dice and cross entropy"
    terms = [_told(each.term.name, each.options, "weight") for each in chosen_terms(section)]
    weights = section.class_weights
    if isinstance(weights, dict):
        terms[-1] += f"; class weights {numbers_text(weights)}, others 1"
    elif weights is not None:
        terms[-1] += f"; class weights {weights}, 1 / sqrt of the classes' shares of the pixels"
    return " + ".join(terms)


def augmentation_text(section: AugmentationSection) -> str:
    """Return an augmentation in a line for people."""
    strength = "" if section.strength == 1 else f", strength {section.strength:g}"
    parts = [f"nnU-Net's set{strength}"] if section.strength else []
    parts += ["mirroring"] if section.mirror and not section.strength else []
    added = chosen_augmentations(section)
    parts += [_told(each.kind.name, each.options, "strength") for each in added]
    unmirrored = section.strength and not section.mirror
    return (" + ".join(parts) or "none") + (
        ", no mirroring, in prediction neither" if unmirrored else ""
    )


def numbers_text(numbers: Mapping[str, float]) -> str:
    """Return names with their numbers: `vessel 3, disc 1.5`."""
    return ", ".join(f"{name} {number:.3g}" for name, number in numbers.items())


def _told(name: str, options: BaseModel, number: str) -> str:
    """Return a name with its number, and its other options where they are not the usual ones."""
    given, usual = options.model_dump(mode="json"), type(options)().model_dump(mode="json")
    others = [f"{key} {_word(given[key])}" for key in given if given[key] != usual[key]]
    others = [text for text in others if not text.startswith(f"{number} ")]
    return f"{name} {given[number]:g}" + (f" ({', '.join(others)})" if others else "")


def _word(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
