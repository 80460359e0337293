"""The loss and the augmentation: what they name is there, and the head takes such a loss."""

from nnunet_vit.config.draft import Draft
from nnunet_vit.config.head_options import head_plugin
from nnunet_vit.config.loss_section import NNUNET
from nnunet_vit.config.problems import Parts, path_text
from nnunet_vit.config.recipe import (
    AUGMENTATION,
    LOSS,
    Fault,
    augmentation_of,
    loss_of,
    resolved_loss,
)
from nnunet_vit.errors import UserError
from nnunet_vit.registry.calling import argument_names

CREATE_LOSS, HANDED_OVER = "create_loss", "default_loss"


def check_loss(draft: Draft) -> None:
    """Validate `train.loss`, and that a head with a loss of its own is not given another."""
    _, faults = loss_of(draft.config.train.loss)
    _note(draft, LOSS, faults)
    if faults or resolved_loss(draft.config.train.loss).is_nnunet:
        return
    title = _head_of_own_loss(draft)
    if title:
        draft.add_at(LOSS, f"{title} is trained with a loss of its own; allowed: '{NNUNET}'")


def check_augmentation(draft: Draft) -> None:
    """Validate `train.augmentation`."""
    _note(draft, AUGMENTATION, augmentation_of(draft.config.train.augmentation)[1])


def _note(draft: Draft, section: Parts, faults: list[Fault]) -> None:
    train = draft.source.data.get("train")
    named = isinstance(train, dict) and isinstance(train.get(section[-1]), str)
    for fault in faults:  # of a word in place of a section the word itself is at fault
        place = section if named else (*section, *fault.key)
        if draft.sound(path_text(place)):
            draft.add_at(place, fault.text, fault.cause)


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
