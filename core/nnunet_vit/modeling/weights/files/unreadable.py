"""The one sentence for files that are no weights."""

from pathlib import Path

from nnunet_vit.errors import ModelError

AGAIN = "fetch it again, and compare its size or sha256 with the publisher's."
GIVE = (
    "give a .safetensors file, a .pth that holds nothing but tensors, or the folder of a Hugging "
    "Face snapshot."
)
AGAIN_OR_GIVE = f"fetch it again; where it is whole, {GIVE}"
SAVE = (
    "where the file was made, save model.state_dict(), or the mapping inside it alone, with "
    "safetensors.torch.save_file."
)


def no_mapping(path: Path) -> ModelError:
    """Return the error of a file that is read and holds no named tensors."""
    return ModelError(f"{path} holds no mapping of names to tensors.", fix=SAVE)


def unreadable(path: Path, reason: str, fix: str = "") -> ModelError:
    """Return the error of a file that cannot be read as weights."""
    return ModelError(
        f"{path} cannot be read as weights: {reason}.",
        fix=fix or GIVE,
    )
