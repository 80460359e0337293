"""The one sentence for files that are no weights."""

from pathlib import Path

from nnunet_vit.errors import ModelError


def unreadable(path: Path, reason: str, fix: str = "") -> ModelError:
    """Return the error of a file that cannot be read as weights."""
    return ModelError(
        f"{path} cannot be read as weights: {reason}.",
        fix=fix
        or "give a .safetensors file, a .pth that holds nothing but tensors, or the folder "
        "of a Hugging Face snapshot.",
    )
