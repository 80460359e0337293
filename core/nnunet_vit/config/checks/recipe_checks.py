"""The loss and the augmentation: what they name is there, and the head takes such a loss."""

from collections.abc import Iterator

from nnunet_vit.config.draft import Draft
from nnunet_vit.config.head_options import head_plugin
from nnunet_vit.config.loss_section import NNUNET
from nnunet_vit.config.problems import Parts, path_text
from nnunet_vit.config.recipe import (
    AUGMENTATION,
    LOSS,
    USUAL_TERMS,
    Fault,
    augmentation_of,
    loss_of,
    resolved_loss,
)
from nnunet_vit.errors import UserError
from nnunet_vit.losses.term import ChosenTerm
from nnunet_vit.registry.calling import argument_names

CREATE_LOSS, HANDED_OVER = "create_loss", "default_loss"


def check_loss(draft: Draft) -> None:
    """Validate `train.loss`, and that a head with a loss of its own is not given another."""
    terms, faults = loss_of(draft.config.train.loss)
    if _given(draft, LOSS) == {}:  # all terms were taken out, which is no wish for others
        faults = [Fault((), f"given {{}}; allowed: '{NNUNET}', a term's name, or terms")]
    _note(draft, LOSS, faults)
    if faults or resolved_loss(draft.config.train.loss).is_nnunet:
        return
    title = _head_of_own_loss(draft)
    if title:
        draft.add_at(LOSS, f"{title} is trained with a loss of its own; allowed: '{NNUNET}'")
    else:
        _note(draft, LOSS, list(_unaccompanied(terms)))


def _unaccompanied(terms: list[ChosenTerm]) -> Iterator[Fault]:
    """Refuse terms that were made to stand beside others, which see the whole mask."""
    if not any(chosen.term.stands_alone for chosen in terms):
        names = [chosen.term.name for chosen in terms]
        usual = ", ".join(f"{name}: 1" for name in USUAL_TERMS)
        added = ", ".join(f"{chosen.term.name}: {chosen.options.weight:g}" for chosen in terms)
        yield Fault(
            (),
            f"given {' and '.join(names)} without a term beside; too little of the mask counts to "
            f"train a network. Fix: others beside, as in {{{usual}, {added}}}",
        )


def check_augmentation(draft: Draft) -> None:
    """Validate `train.augmentation`."""
    _note(draft, AUGMENTATION, augmentation_of(draft.config.train.augmentation)[1])


def _note(draft: Draft, section: Parts, faults: list[Fault]) -> None:
    named = isinstance(_given(draft, section), str)
    for fault in faults:  # of a word in place of a section the word itself is at fault
        place = section if named else (*section, *fault.key)
        if draft.sound(path_text(place)):
            draft.add_at(place, fault.text, fault.cause)


def _given(draft: Draft, section: Parts) -> object:
    train = draft.source.data.get("train")
    return train.get(section[-1]) if isinstance(train, dict) else None


def _head_of_own_loss(draft: Draft) -> str:
    """Return how errors call a head that uses no loss but its own, or nothing."""
    if not draft.sound("model.head", "model.model_path"):
        return ""
    try:
        plugin = head_plugin(draft.config.model)
    except UserError:  # refused by another check
        return ""
    own = CREATE_LOSS in plugin.hooks
    return "" if not own or HANDED_OVER in argument_names(plugin, CREATE_LOSS) else plugin.title
