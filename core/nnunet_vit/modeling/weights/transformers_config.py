"""What a Hugging Face snapshot's config.json says beside the tensors' shapes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nnunet_vit.modeling.weights.snapshot_config import config_of, damaged
from nnunet_vit.modeling.weights.transformers_defaults import DEFAULTS

ACTIVATIONS = {
    "gelu": "gelu",
    "gelu_python": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_fast": "gelu_tanh",
    "gelu_accurate": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "gelu_python_tanh": "gelu_tanh",
    "quick_gelu": "quick_gelu",
    "silu": "silu",
    "swish": "silu",
    "relu": "relu",
}
MOST = 1e9  # that a number of a network can be
GATE_OF_ITS_OWN = "use_swiglu_ffn"  # DINOv2's gate is SiLU, whatever hidden_act says
KEYS = {  # ours, and theirs in the order of preference
    "num_heads": ("num_attention_heads", "num_heads"),
    "act_layer": ("hidden_act",),
    "norm_eps": ("layer_norm_eps", "layer_norm_epsilon", "rms_norm_eps"),
    "rope_temperature": ("rope_theta",),
    "patch_size": ("patch_size",),
    "image_size": ("image_size",),
}


@dataclass(frozen=True)
class TransformersSnapshot:
    """What a snapshot says.

    Attributes:
        settings: by our names of arguments, as far as it says them; activations by timm's names
            where timm has them.
        names: how the file calls each of them.
        file: its config.json.
    """

    settings: dict[str, Any]
    names: dict[str, str]
    file: Path


def transformers_snapshot(weights: Path) -> TransformersSnapshot | None:
    """Return what the config.json of a transformers snapshot says; None: it is none of them.

    Raises:
        ModelError: it is damaged, or holds something else than numbers and names.
    """
    found = config_of(weights)
    if found is None or "model_type" not in found[1] or "architecture" in found[1]:
        return None
    file, content = found
    said = _with_defaults(content)
    names = {
        ours: next(name for name in theirs if said.get(name) is not None)
        for ours, theirs in KEYS.items()
        if any(said.get(name) is not None for name in theirs)
    }
    if said.get(GATE_OF_ITS_OWN) is True:
        names.pop("act_layer", None)
    settings = {ours: _plain(ours, said[name], name, file) for ours, name in names.items()}
    return TransformersSnapshot(settings, names, file)


def _with_defaults(content: dict[str, Any]) -> dict[str, Any]:
    """Return what is said of the image's network, and transformers' own values where it is not."""
    said = content.get("vision_config")  # of a network for images and texts
    said = said if isinstance(said, dict) else content
    kind = str(said.get("model_type", content["model_type"]))
    rope = said.get("rope_parameters") or said.get("rope_scaling")
    if isinstance(rope, dict) and "rope_theta" in rope:
        said = {**said, "rope_theta": rope["rope_theta"]}
    given = {key: value for key, value in said.items() if value is not None}
    left_out = {
        key: value
        for key, value in DEFAULTS.get(kind, {}).items()
        if not any(name in given for names in KEYS.values() if key in names for name in names)
    }
    return {**given, **left_out}


def _plain(ours: str, value: object, name: str, file: Path) -> object:
    if ours == "act_layer":
        if not isinstance(value, str):
            raise damaged(file, f"its {name} is {value!r}")
        return ACTIVATIONS.get(value, value)
    if ours == "image_size":
        return _edges(value)
    if isinstance(value, list) and len(set(map(str, value))) == 1:  # [16, 16]
        value = value[0]
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= MOST:
        raise damaged(file, f"its {name} is {value!s:.40}")
    return value


def _edges(value: object) -> tuple[int, int] | None:
    """Return (H, W) of an image's size; None: it is said in a way that is not known."""
    if isinstance(value, dict):
        value = [value.get("height"), value.get("width")]
    given = value if isinstance(value, list) else [value]
    edges = [edge for edge in given if type(edge) is int and 0 < edge <= MOST]
    if len(given) not in (1, 2) or len(edges) != len(given):
        return None
    return edges[0], edges[-1]
