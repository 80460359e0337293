"""A file's names turned into those of the backbone, which decides what each can mean."""

import re

from torch import Tensor, nn

from nnunet_vit.modeling.weights.names.hugging_face import from_hugging_face
from nnunet_vit.modeling.weights.names.makers import from_other_makers
from nnunet_vit.modeling.weights.shapes.class_tokens import likely_class_position

CHUNKED = re.compile(r"^blocks\.\d+\.(?=\d+\.)")  # DINOv2's groups of blocks
OTHER_NAMES = tuple(  # taken only where the backbone has the second name and not the first
    (re.compile(pattern), name)
    for pattern, name in (
        (r"^(?:register|storage)_tokens$", "reg_token"),
        (r"\.ls([12])\.gamma$", r".gamma_\1"),
        (r"\.gamma_([12])$", r".ls\1.gamma"),
        (r"\.mlp\.w12\.", ".mlp.fc1."),
        (r"\.mlp\.w1\.", ".mlp.fc1_g."),
        (r"\.mlp\.w2\.", ".mlp.fc1_x."),
        (r"\.mlp\.w3\.", ".mlp.fc2."),
    )
)


def shaped_as_backbone(tensors: dict[str, Tensor], model: nn.Module) -> dict[str, Tensor]:
    """Return what named_as_backbone does, with the class token's position where it likely is."""
    return likely_class_position(named_as_backbone(tensors, model), model)


def named_as_backbone(tensors: dict[str, Tensor], model: nn.Module) -> dict[str, Tensor]:
    """Return the tensors by the backbone's names where they can be translated.

    Args:
        tensors: of the file.
        model: the backbone.
    """
    own = model.state_dict()
    packed = not any(".mlp.fc1_g." in name for name in own)
    known = from_hugging_face(from_other_makers(tensors), packed)
    known = _with_split_bias(known, own)
    renamed: dict[str, Tensor] = {}
    for name, tensor in known.items():
        ours = _own_name(name, own)
        renamed[name if ours in renamed or (ours != name and ours in known) else ours] = tensor
    return renamed


def _own_name(name: str, own: dict[str, Tensor]) -> str:
    name = CHUNKED.sub("blocks.", name)
    if name in own:
        return name
    others = (pattern.sub(ours, name) for pattern, ours in OTHER_NAMES)
    return next((other for other in others if other in own), name)


def _with_split_bias(tensors: dict[str, Tensor], own: dict[str, Tensor]) -> dict[str, Tensor]:
    """Split the bias of queries, keys and values for a backbone that holds it in parts."""
    split: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        layer = name.removesuffix(".qkv.bias")
        mask = tensors.get(f"{name}_mask")
        if layer != name and mask is not None and mask.shape == tensor.shape:
            tensor = tensor * mask
        if layer == name or f"{CHUNKED.sub('blocks.', layer)}.q_bias" not in own:
            split[name] = tensor
            continue
        for part, value in zip("qkv", tensor.chunk(3), strict=False):
            split[f"{layer}.{part}_bias"] = value
    return split
