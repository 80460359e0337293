"""Hugging Face's names of a ViT's tensors, turned into those of the networks' makers."""

import re

import torch
from torch import Tensor

# DINOv2 and DINOv3 as they lie on disk and as transformers 5 holds them in memory; ViT and ViTMAE.
NAMES = tuple(
    (re.compile(pattern), name)
    for pattern, name in (
        (r"^embeddings\.patch_embeddings\.(?:projection\.)?", "patch_embed.proj."),
        (r"^embeddings\.position_embeddings$", "pos_embed"),
        (r"^embeddings\.", ""),
        (r"^layernorm\.", "norm."),
        (r"^(?:model\.|encoder\.)?layers?\.(\d+)\.", r"blocks.\1."),
        (r"\.attention\.(?:attention\.)?(?:query|q_proj)\.", ".attn.q."),
        (r"\.attention\.(?:attention\.)?(?:key|k_proj)\.", ".attn.k."),
        (r"\.attention\.(?:attention\.)?(?:value|v_proj)\.", ".attn.v."),
        (r"\.attention\.(?:output\.dense|o_proj)\.", ".attn.proj."),
        (r"\.layer_scale([12])\.lambda1$", r".ls\1.gamma"),
        (r"\.layernorm_before\.", ".norm1."),
        (r"\.layernorm_after\.", ".norm2."),
        (r"\.intermediate\.dense\.", ".mlp.fc1."),
        (r"\.output\.dense\.", ".mlp.fc2."),
        (r"\.mlp\.weights_in\.", ".mlp.w12."),
        (r"\.mlp\.weights_out\.", ".mlp.w3."),
    )
)
MARK = "embeddings."


def from_hugging_face(tensors: dict[str, Tensor], packed: bool) -> dict[str, Tensor]:
    """Rename a Hugging Face ViT's tensors; others come back as they are.

    Args:
        tensors: of the file, by name.
        packed: whether the backbone has the two first layers of a gated MLP in one.
    """
    if not any(name.startswith(MARK) for name in tensors):
        return tensors
    renamed: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        for pattern, ours in NAMES:
            name = pattern.sub(ours, name)
        renamed[name] = tensor
    return _with_one_mlp(_with_fused_attention(renamed), packed)


def _with_fused_attention(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Join queries, keys and values; DINOv3 has no bias of the keys, which is one of zeros."""
    fused = dict(tensors)
    for name, queries in tensors.items():
        if not name.endswith((".attn.q.weight", ".attn.q.bias")):
            continue
        layer, kind = name.rsplit(".q.", 1)
        parts = {part: tensors.get(f"{layer}.{part}.{kind}") for part in "qkv"}
        if kind == "bias" and parts["k"] is None:
            parts["k"] = torch.zeros_like(queries)
        _join(fused, [f"{layer}.{part}.{kind}" for part in "qkv"], parts, f"{layer}.qkv.{kind}")
    return fused


def _join(
    tensors: dict[str, Tensor], names: list[str], parts: dict[str, Tensor | None], whole: str
) -> None:
    """Put the parts' names away for the whole; an incomplete whole stays in parts, and unknown."""
    present = [part for part in parts.values() if part is not None]
    if len(present) < len(parts) or len({part.shape[1:] for part in present}) > 1:
        return
    for name in names:
        tensors.pop(name, None)
    tensors[whole] = torch.cat(present)


def _with_one_mlp(tensors: dict[str, Tensor], packed: bool) -> dict[str, Tensor]:
    gates = [name for name in tensors if ".mlp.gate_proj." in name]
    layers = {name.split(".gate_proj.")[0] for name in gates}
    named = dict(tensors)
    for gate in gates if packed else ():
        up = gate.replace(".gate_proj.", ".up_proj.")
        parts = {"gate": tensors[gate], "up": tensors.get(up)}
        _join(named, [gate, up], parts, gate.replace(".gate_proj.", ".w12."))
    return {_mlp_name(name, layers): tensor for name, tensor in named.items()}


def _mlp_name(name: str, gated_layers: set[str]) -> str:
    layer, dot, part = name.partition(".mlp.")
    gated = layer + ".mlp" in gated_layers
    first, last = (".w2.", ".w3.") if gated else (".fc1.", ".fc2.")
    renamed = (dot + part).replace(".gate_proj.", ".w1.").replace(".up_proj.", first)
    return layer + renamed.replace(".down_proj.", last)
