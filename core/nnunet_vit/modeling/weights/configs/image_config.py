"""Where a transformers config.json speaks of the network for images: it may lie deeper in it."""

import re

from nnunet_vit.files.json_file import JsonObject

DEEPEST = 6  # mappings inside mappings
INSIDE = re.compile(  # keys that transformers and its users give a network for images
    r"(?:.*_)?(?:vision|visual|image|backbone)(?:_model|_encoder|_tower)?(?:_config|_cfg)?"
    r"|(?:encoder|detector|tracker|thinker|vlm|sam|patch_model|fov_model)(?:_config)?"
)
Keys = JsonObject


def of_images(content: Keys, kind: str = "", way: str = "") -> dict[str, tuple[str, Keys]]:
    """Return what may speak of the network for images, by the way to it: its kind and keys.

    Args:
        content: of a config.json, or of a part of it.
        kind: `model_type` of what it lies in, which counts where it has none of its own.
        way: to this part, by keys and dots.
    """
    kind = str(content.get("model_type", kind))
    inner = {
        key: value
        for key, value in content.items()
        if isinstance(value, dict) and INSIDE.fullmatch(key) and way.count(".") < DEEPEST
    }
    found: dict[str, tuple[str, Keys]] = {}
    for key, value in inner.items():
        found.update(of_images(value, kind, f"{way}.{key}" if way else key))
    return found or {way: (kind, content)}
