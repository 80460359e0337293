"""Terms of the training's loss: those of this folder's files, found by being here, and plugins'.

A file has TERMS, a tuple of `LossTerm`. A package brings one by the hook `segmentation_loss` in the
entry-point group nnunet_vit.losses.
"""

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from nnunet_vit.losses.term import LossTerm, TermOptions
from nnunet_vit.registry import catalogue
from nnunet_vit.registry.calling import described_by
from nnunet_vit.registry.lookup import checked_name, modules_of, one_named
from nnunet_vit.registry.plugins import MAIN_HOOKS, plugin_failures

if TYPE_CHECKING:
    from torch import Tensor

    from nnunet_vit.losses.computing.compared import Compared

__all__ = ["LossTerm", "TermOptions", "named_term", "own_terms"]

HOOK = MAIN_HOOKS[catalogue.LOSSES]
KEY = "train.loss"


@cache
def own_terms() -> dict[str, LossTerm]:
    """Return the terms of this folder by name; what they compute with lies in a folder beside."""
    modules = modules_of(__name__, __path__, besides="term")
    found = {term.name: term for module in modules for term in module.TERMS}
    return dict(sorted(found.items()))


def named_term(name: str, others: tuple[str, ...] = ()) -> LossTerm:
    """Return the term of that name, from this folder or from an installed package.

    Args:
        name: as `train.loss` says it.
        others: words that name whole losses, for the error.

    Raises:
        ConfigError: nobody has it.
        PluginError: several have it, or the package that has it is broken.
    """
    return one_named(
        catalogue.LOSSES,
        name,
        own_terms(),
        outside=outside_term,
        asked_by=KEY,
        noun="term",
        others=others,
    )


def outside_term(record: catalogue.PluginRecord) -> LossTerm:
    """Return the term that an installed package describes, under its entry point's name.

    Raises:
        PluginError: the package is broken or describes something else.
    """
    found = described_by(record, LossTerm, "nnunet_vit.losses.LossTerm")
    checked_name(found.name, record, hook=HOOK, noun="term")

    def value(compared: "Compared", options: TermOptions) -> "Tensor":
        with plugin_failures(f"{record.title}: value"):
            return found.value(compared, options)

    return replace(found, value=value)
