"""config.json of a snapshot, which says what network its weights belong to."""

import json
from pathlib import Path

from nnunet_vit.errors import ModelError
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.modeling.weights.files.snapshot import WHOLE

CONFIG = "config.json"


def described_folder(weights: Path) -> Path | None:
    """Return the folder whose JSON files describe some weights; None: nothing does.

    Args:
        weights: a snapshot folder, or the one file of weights inside it. What lies beside a file of
            another name may belong to other weights.
    """
    if weights.is_dir():
        return weights
    return weights.parent if weights.name in WHOLE else None


def config_of(weights: Path) -> tuple[Path, JsonObject] | None:
    """Return the config.json of some weights and its content; None: there is none.

    Raises:
        ModelError: it cannot be read, or is no mapping.
    """
    folder = described_folder(weights)
    if folder is None or not (folder / CONFIG).is_file():
        return None
    file = folder / CONFIG
    try:
        content = json.loads(file.read_bytes())
    except (ValueError, RecursionError) as error:
        raise damaged(file, f"it is no JSON ({error})") from error
    except OSError as error:
        raise damaged(file, error.strerror or type(error).__name__) from error
    if not isinstance(content, dict):
        raise damaged(file, "it holds no mapping")
    return file, content


def damaged(file: Path, reason: str) -> ModelError:
    """Return the error of a config.json that does not describe a network."""
    return ModelError(
        f"{file} does not say what network the weights belong to: {reason}.",
        fix="fetch the snapshot again, or give the weights without it: copy the file of weights "
        "elsewhere.",
    )
