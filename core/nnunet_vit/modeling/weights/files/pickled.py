"""Read torch's pickled files without running anything of them, and say what is refused."""

import zipfile
from pathlib import Path

from nnunet_vit.errors import ModelError, UserError, shortened
from nnunet_vit.modeling.weights.files.placeholders import Placeholder
from nnunet_vit.modeling.weights.files.torch_files import TorchArchive, TorchFileError, TorchStream
from nnunet_vit.modeling.weights.files.unreadable import AGAIN, AGAIN_OR_GIVE, unreadable

CUT_OFF, NO_TORCH = "it is cut off or damaged", "it is no PyTorch file, or damaged"
FIXES = {CUT_OFF: AGAIN, NO_TORCH: AGAIN_OR_GIVE}


def load_pickled(path: Path, archive: bool) -> object:
    """Return what a .pth file holds: tensors, containers, plain values and inert placeholders.

    Args:
        path: of the file.
        archive: whether it is of the format since torch 1.6, or else the older one.

    Raises:
        ModelError: it is no PyTorch file, or it names objects that can run code, which are named.
        OSError: it cannot be read.
    """
    foreign: set[str] = set()
    try:
        content = (TorchArchive if archive else TorchStream)(path, foreign).read()
    except (OSError, UserError):
        raise
    except Exception as error:  # damaged files fail in many ways
        if not foreign:
            reason = _reason(error)
            raise unreadable(path, reason, FIXES.get(reason, "")) from error
    if foreign:
        raise _refused(path, sorted(foreign))
    return content.content() if isinstance(content, Placeholder) else content


def _refused(path: Path, objects: list[str]) -> ModelError:
    return ModelError(
        f"{path} holds Python objects, which can run code: {shortened(objects)}. Nothing was "
        "loaded.",
        fix="take a file of tensors alone (.safetensors); where you trust this one, copy its "
        "tensors into such a file as docs/weights.md shows under 'What is refused'.",
    )


def _reason(error: Exception) -> str:
    if isinstance(error, TorchFileError):
        return str(error)
    if isinstance(error, EOFError | zipfile.BadZipFile | KeyError):
        return CUT_OFF
    return NO_TORCH
