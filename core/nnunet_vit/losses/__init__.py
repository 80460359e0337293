"""Terms of the training's loss: those of this folder's files, found by being here, and plugins'.

A file has TERMS, a tuple of `LossTerm`. A package brings one by the hook `segmentation_loss` in the
entry-point group nnunet_vit.losses.
"""

from functools import cache

from nnunet_vit.losses.term import LossTerm, TermOptions
from nnunet_vit.registry import catalogue
from nnunet_vit.registry.lookup import Kind, modules_of

__all__ = ["LossTerm", "TermOptions", "named_term", "own_terms"]

KIND = Kind(catalogue.LOSSES, LossTerm, "nnunet_vit.losses.LossTerm", "train.loss", "term", "value")


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
    return KIND.named(name, own_terms(), others=others)
