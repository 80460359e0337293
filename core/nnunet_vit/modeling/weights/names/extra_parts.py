"""The arguments of timm with which a backbone has the parts that a file of weights has."""

import re

from torch import Tensor, nn

from nnunet_vit.config.backbone_arguments import BackboneArguments
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.modeling.vit.classes import class_of
from nnunet_vit.modeling.weights.names.key_mapping import shaped_as_backbone
from nnunet_vit.modeling.weights.shapes.grids import is_square
from nnunet_vit.modeling.weights.shapes.sizes import POSITIONS

BLOCK = re.compile(r"(?:^|\.)(?:blocks|layers?|resblocks)\.(\d+)\.")
REGISTERS = ("reg_token", "register_tokens", "storage_tokens")
PARTS = {  # endings of names that only the file has, and the argument behind them
    (".ls1.gamma", ".ls2.gamma", ".gamma_1", ".gamma_2"): ("init_values", 1e-5),
    (".q_norm.weight", ".k_norm.weight"): ("qk_norm", True),
    (".qkv.bias",): ("qkv_bias", True),
    (".attn.proj.bias",): ("proj_bias", True),
    ("norm_pre.weight",): ("pre_norm", True),
}
FIRST, SECOND = "blocks.0.mlp.fc1.weight", "blocks.0.mlp.fc2.weight"
GATED = {"mlp_layer": "SwiGLUPacked", "act_layer": "silu"}  # the one gated MLP that is published


def arguments_of_tensors(tensors: dict[str, Tensor], model: nn.Module) -> BackboneArguments:
    """Return the arguments with which a backbone has the parts that the file alone has.

    Args:
        tensors: of the file, by its own names; their values are not looked at.
        model: the backbone without them.
    """
    own, named = model.state_dict(), shaped_as_backbone(tensors, model)
    extra = [name for name in named if name not in own]
    given: JsonObject = {}
    for endings, (argument, value) in PARTS.items():
        if any(name.endswith(endings) for name in extra):
            given[argument] = value
    given |= _registers(named, extra, class_of(model).module)
    given |= _mlp(named, own)
    depth = max((int(found[1]) + 1 for name in named if (found := BLOCK.search(name))), default=0)
    if depth and depth != len(model.blocks):  # type: ignore[arg-type]
        given["depth"] = depth
    return BackboneArguments(**given)


def is_gated(shapes: JsonObject) -> bool:
    """Tell whether an MLP's second layer takes half of what its first one gives."""
    return (
        FIRST in shapes and SECOND in shapes and int(shapes[FIRST][0]) == 2 * int(shapes[SECOND][1])
    )


def _registers(named: dict[str, Tensor], extra: list[str], module: str) -> JsonObject:
    registers = [named[name] for name in REGISTERS if name in extra and named[name].ndim == 3]
    if not registers:
        return {}
    count = int(registers[0].shape[1])
    given: JsonObject = {"num_reg_tokens" if module == "eva" else "reg_tokens": count}
    positions = named.get(POSITIONS)
    if positions is not None and any(is_square(positions.shape[1] - token) for token in (0, 1)):
        given["no_embed_class"] = True
    return given


def _mlp(named: dict[str, Tensor], own: dict[str, Tensor]) -> JsonObject:
    first = named.get(FIRST)
    if FIRST not in own or first is None or first.shape[1:] != own[FIRST].shape[1:]:
        return {}
    given: JsonObject = {}
    shapes = {name: named[name].shape for name in (FIRST, SECOND) if name in named}
    if is_gated(shapes) and own[FIRST].shape[0] == own[SECOND].shape[1]:
        given |= GATED
    if first.shape[0] != own[FIRST].shape[0]:
        given["mlp_ratio"] = first.shape[0] / first.shape[1]
    return given
