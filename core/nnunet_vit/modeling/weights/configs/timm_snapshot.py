"""The network that a timm snapshot names: `architecture` and `model_args` of its config.json.

A file is never code: only plain values and names of known layers are taken from it.
"""

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from nnunet_vit.config.backbone_arguments import BackboneArguments
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.modeling.weights.configs.snapshot_config import config_of, damaged

LAYERS = ("act_layer", "norm_layer", "embed_norm_layer", "mlp_layer")
SPELLINGS = {  # of layers, in lower case without underscores
    "gelutanh": "gelu_tanh",
    "gelupytorchtanh": "gelu_tanh",
    "quickgelu": "quick_gelu",
    "swish": "silu",
    "mlp": "Mlp",
    "glumlp": "GluMlp",
    "swiglu": "SwiGLU",
    "swiglupacked": "SwiGLUPacked",
}
# The run decides on size, channels and pooling; dropout and initial values shape no features.
OF_THE_RUN = {
    "img_size",
    "in_chans",
    "num_classes",
    "global_pool",
    "fc_norm",
    "use_fc_norm",
    "pool_include_prefix",
    "attn_pool_num_heads",
    "attn_pool_mlp_ratio",
    "dynamic_img_size",
    "dynamic_img_pad",
    "strict_img_size",
    "weight_init",
    "fix_init",
    "head_init_scale",
}
RATES = ("_rate", "drop", "drop_path", "dropout", "layerdrop")


@dataclass(frozen=True)
class TimmSnapshot:
    """What a timm snapshot says of its network.

    Attributes:
        architecture: timm's name, without a tag of weights.
        arguments: of the network, where it differs from what the name alone gives.
        image_size: (H, W) in pixels that its positions were made for; None: it does not say.
        file: its config.json.
    """

    architecture: str
    arguments: BackboneArguments
    image_size: tuple[int, int] | None
    file: Path


def timm_snapshot(weights: Path) -> TimmSnapshot | None:
    """Return what the config.json of a timm snapshot says; None: it is none of timm's.

    Args:
        weights: a snapshot folder, or the one file of weights inside it.

    Raises:
        ModelError: config.json is damaged, or asks for what is no plain value.
    """
    found = config_of(weights)
    if found is None or "architecture" not in found[1]:
        return None
    file, content = found
    architecture, arguments = content["architecture"], content.get("model_args") or {}
    if not isinstance(architecture, str) or not architecture:
        raise damaged(file, f"its architecture is {architecture!r}")
    if not isinstance(arguments, dict):
        raise damaged(file, "its model_args are no mapping")
    return TimmSnapshot(
        architecture.partition(".")[0],
        _arguments(arguments, file),
        _image_size(content, arguments),
        file,
    )


def _arguments(given: JsonObject, file: Path) -> BackboneArguments:
    wanted = {
        name: _plain(name, value)
        for name, value in given.items()
        if value is not None and name not in OF_THE_RUN and not name.endswith(RATES)
    }
    try:
        return BackboneArguments.model_validate(wanted)
    except ValidationError as error:
        names = dict.fromkeys(str(one["loc"][0]) for one in error.errors(include_url=False))
        faults = ", ".join(f"{name} = {given[name]!r}" for name in names)
        raise damaged(file, f"its model_args hold what cannot be taken over: {faults}") from error


def _plain(name: str, value: object) -> object:
    """Return a layer by the name that it has here, and an edge for a square patch."""
    if name in LAYERS and isinstance(value, str):
        layer = value.rpartition(".")[2].replace("_", "").lower()
        return SPELLINGS.get(layer, layer)
    if name == "patch_size" and isinstance(value, list) and value[1:] == value[:1]:
        return value[0]
    if isinstance(value, float) and value.is_integer():  # 12.0 for 12
        return int(value)
    return value


def _image_size(content: JsonObject, arguments: JsonObject) -> tuple[int, int] | None:
    settings = content.get("pretrained_cfg", content)  # older files hold all on one level
    sizes = [arguments.get("img_size")]
    if isinstance(settings, dict) and isinstance(settings.get("input_size"), list):
        sizes.append(settings["input_size"][1:])
    for size in sizes:
        edges = [size, size] if isinstance(size, int) else size
        if isinstance(edges, list) and len(edges) == 2 and all(type(e) is int for e in edges):
            return edges[0], edges[1]
    return None
