"""What a Hugging Face snapshot's config.json says beside the tensors' shapes."""

from dataclasses import dataclass
from pathlib import Path

from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.modeling.weights.configs.image_config import of_images
from nnunet_vit.modeling.weights.configs.snapshot_config import config_of, damaged
from nnunet_vit.modeling.weights.configs.transformers_defaults import DEFAULTS

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
ROPE = "rope_theta"
MOST = 1e9  # that a number of a network can be
GATE_OF_ITS_OWN = "use_swiglu_ffn"  # DINOv2's gate is SiLU, whatever hidden_act says
KEYS = {  # ours, and theirs in the order of preference
    "num_heads": ("num_attention_heads", "num_heads"),
    "act_layer": ("hidden_act",),
    "norm_eps": ("layer_norm_eps", "layer_norm_epsilon", "rms_norm_eps"),
    "rope_temperature": (ROPE,),
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

    settings: JsonObject
    names: dict[str, str]
    file: Path


def transformers_snapshot(weights: Path) -> TransformersSnapshot | None:
    """Return what the config.json of a transformers snapshot says; None: it is none of them.

    One without `model_type` is read too, as far as it uses transformers' names.

    Raises:
        ModelError: it is damaged, holds something else than numbers and names, or speaks of
            several networks for images that differ.
    """
    found = config_of(weights)
    if found is None or "architecture" in found[1]:
        return None
    file, content = found
    said = _speaking(of_images(content), file)
    if not said and "patch_size" in content:
        said = _speaking({"": (str(content.get("model_type", "")), content)}, file)
    several = list(said.values())
    if any(one.settings != several[0].settings for one in several):
        raise damaged(file, f"{' and '.join(said)} in it speak of different networks")
    nothing = TransformersSnapshot({}, {}, file) if "model_type" in content else None
    return several[0] if several else nothing


def _speaking(
    parts: dict[str, tuple[str, JsonObject]], file: Path
) -> dict[str, TransformersSnapshot]:
    """Return what the parts of a config.json say that say anything, by the way to them."""
    said = {
        way: _snapshot(_with_defaults(inner, kind, file), file)
        for way, (kind, inner) in parts.items()
    }
    return {way: one for way, one in said.items() if one.settings}


def _snapshot(said: JsonObject, file: Path) -> TransformersSnapshot:
    names = {
        ours: next(name for name in theirs if said.get(name) is not None)
        for ours, theirs in KEYS.items()
        if any(said.get(name) is not None for name in theirs)
    }
    if said.get(GATE_OF_ITS_OWN) is True:
        names.pop("act_layer", None)
    settings = {ours: _plain(ours, said[name], name, file=file) for ours, name in names.items()}
    return TransformersSnapshot(settings, names, file)


def _with_defaults(said: JsonObject, kind: str, file: Path) -> JsonObject:
    """Return what is said of a network, and transformers' own values where it is not."""
    defaults = DEFAULTS.get(kind, {})
    given = {key: value for key, value in said.items() if value is not None}
    if ROPE not in defaults:  # DINOv3 computes with the plain key, whatever else is said
        given.update(_rope(given, file))
    left_out = {
        key: value
        for key, value in defaults.items()
        if not any(name in given for names in KEYS.values() if key in names for name in names)
    }
    return {**given, **left_out}


def _rope(given: JsonObject, file: Path) -> JsonObject:
    """Return the base of the rotary positions where newer configurations say it."""
    inner = given.get("rope_parameters") or given.get("rope_scaling")
    if not isinstance(inner, dict) or ROPE not in inner:
        return {}
    if given.get(ROPE, inner[ROPE]) != inner[ROPE]:
        raise damaged(file, f"its {ROPE} is {given[ROPE]!s:.40}, and {inner[ROPE]!s:.40} inside")
    return {ROPE: inner[ROPE]}


def _plain(ours: str, value: object, name: str, *, file: Path) -> object:
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
