"""A transformers snapshot against the backbone: other networks have the same shapes too."""

from math import isclose

import torch
from torch import nn

from nnunet_vit.config.backbone_arguments import BackboneArguments
from nnunet_vit.errors import ConfigError, ModelError
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.modeling.vit.classes import patch_size_of
from nnunet_vit.modeling.vit.timm_models import build_timm
from nnunet_vit.modeling.vit.wiring import setting_of
from nnunet_vit.modeling.weights.configs.transformers_config import TransformersSnapshot

SIZE, RGB = (224, 224), 3
PLACES = {
    "num_heads": "blocks.0.attn.num_heads",
    "act_layer": "blocks.0.mlp.act",
    "norm_eps": "blocks.0.norm1.eps",
    "rope_temperature": "rope.temperature",
}
ACTIVATIONS = {
    "GELU": "gelu",
    "GELUTanh": "gelu_tanh",
    "QuickGELU": "quick_gelu",
    "SiLU": "silu",
    "ReLU": "relu",
}


def arguments_of_settings(
    name: str, said: TransformersSnapshot, given: BackboneArguments, *, patch_size: int | None
) -> BackboneArguments:
    """Return the arguments with which a backbone computes what a snapshot says.

    Args:
        name: timm's name of the backbone.
        said: by the snapshot.
        given: by the run.
        patch_size: that the run asks for; None: as it was pretrained.

    Raises:
        ConfigError: the backbone cannot be built with the run's arguments.
        ModelError: timm cannot build such a network under this name, or the run contradicts it.
    """
    with torch.device("meta"):
        own = build_timm(name, SIZE, RGB, patch_size=patch_size, more=given)
        differences = _differences(own, said, patch_size)
        if not differences:
            return given
        wanted = {key: said.settings[key] for key in differences}
        if any(key in given.given() for key in wanted) or "patch_size" in wanted:
            raise _another_network(name, said, differences, own=own)
        try:
            asked = BackboneArguments(**{**given.given(), **wanted})
            left = _differences(
                build_timm(name, SIZE, RGB, patch_size=patch_size, more=asked), said, patch_size
            )
        except (ConfigError, ValueError):  # not an argument of this class, or no such layer
            left = differences
    if left:
        raise _another_network(name, said, differences, own=own)
    return asked


def _differences(
    model: nn.Module, said: TransformersSnapshot, patch_size: int | None
) -> dict[str, tuple[object, object]]:
    """Return what the snapshot says and what the network has, where they differ."""
    own: JsonObject = {key: setting_of(model, place) for key, place in PLACES.items()}
    if isinstance(own["act_layer"], nn.Module):
        own["act_layer"] = _activation(own["act_layer"])
    if patch_size is None:  # else the stem is resampled, as the run asks
        own["patch_size"] = patch_size_of(model)
    return {
        key: (said.settings[key], value)
        for key, value in own.items()
        if value is not None and key in said.settings and not _same(said.settings[key], value)
    }


def _activation(layer: nn.Module) -> str:
    if getattr(layer, "approximate", "none") == "tanh":
        return "gelu_tanh"
    return ACTIVATIONS.get(type(layer).__name__, type(layer).__name__)


def _same(one: object, other: object) -> bool:
    if isinstance(one, int | float) and isinstance(other, int | float):
        return isclose(one, other, rel_tol=1e-3)
    return one == other


def _another_network(
    name: str,
    said: TransformersSnapshot,
    differences: dict[str, tuple[object, object]],
    *,
    own: nn.Module,
) -> ModelError:
    facts = [
        f"{said.names[key]} {theirs}, the backbone has {ours}"
        for key, (theirs, ours) in differences.items()
    ]
    fix = "choose the backbone that these weights were made for."
    if "patch_size" in differences:
        fix = (
            f"a backbone with patches of {differences['patch_size'][0]} pixels, or "
            f"model.vit_patch_size: {patch_size_of(own)} to have the weights resampled."
        )
    return ModelError(
        f"{said.file} says another network than timm's {name}: {'; '.join(facts)}.", fix=fix
    )
