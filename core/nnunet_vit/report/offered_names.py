"""The names that the shell offers when a command is completed; imported when it asks."""


def heads(incomplete: str) -> list[str]:
    """Return the installed heads that begin so."""
    from nnunet_vit.registry import catalogue

    return [name for name in catalogue.installed(catalogue.HEADS) if name.startswith(incomplete)]


def backbones(incomplete: str) -> list[str]:
    """Return the installed families of backbones that begin so, and how a name of timm begins."""
    from nnunet_vit.backbones import TIMM_PREFIX, own_families
    from nnunet_vit.registry import catalogue

    known = [*own_families(), *catalogue.installed(catalogue.BACKBONES), TIMM_PREFIX]
    return [name for name in known if name.startswith(incomplete)]
