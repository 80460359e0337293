"""How a checkpoint that does not fit is refused."""

from collections.abc import Iterable

from nnunet_vit.errors import ModelError, shortened

NONE = "none"


def misfit(what: str, reason: str) -> ModelError:
    """Return the error for a part of a checkpoint that belongs to another run."""
    return ModelError(
        f"The checkpoint's {what} do not fit: {reason}.",
        fix="continue with the run file and the versions that the training was started with.",
    )


def compared(own: Iterable[str], given: Iterable[str]) -> str:
    """Return which names are missing and which are unexpected; nothing where all agree."""
    missing, unexpected = sorted(set(own) - set(given)), sorted(set(given) - set(own))
    if not missing and not unexpected:
        return ""
    return f"missing {shortened(missing) or NONE}; unexpected {shortened(unexpected) or NONE}"
