"""Rules that turn one naming of tensors into another, and queries, keys and values into one."""

import re

import torch
from torch import Tensor

Rules = tuple[tuple[re.Pattern[str], str], ...]


def compiled(*rules: tuple[str, str]) -> Rules:
    """Return rules of a pattern and its replacement, applied one after the other."""
    return tuple((re.compile(pattern), name) for pattern, name in rules)


def renamed(tensors: dict[str, Tensor], rules: Rules) -> dict[str, Tensor]:
    """Return the tensors by their new names."""
    found: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        for pattern, ours in rules:
            name = pattern.sub(ours, name)
        found[name] = tensor
    return found


def with_batch(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Give tokens and positions the first dimension that timm's have."""
    shaped = dict(tensors)
    if (token := tensors.get("cls_token")) is not None and token.ndim == 1:
        shaped["cls_token"] = token[None, None]
    if (positions := tensors.get("pos_embed")) is not None and positions.ndim == 2:
        shaped["pos_embed"] = positions[None]
    return shaped


def with_fused_attention(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Join queries, keys and values; DINOv3 has no bias of the keys, which is one of zeros."""
    fused = dict(tensors)
    for name, queries in tensors.items():
        if not name.endswith((".attn.q.weight", ".attn.q.bias")):
            continue
        layer, kind = name.rsplit(".q.", 1)
        parts = {part: tensors.get(f"{layer}.{part}.{kind}") for part in "qkv"}
        if kind == "bias" and parts["k"] is None:
            parts["k"] = torch.zeros_like(queries)
        join(
            fused, [f"{layer}.{part}.{kind}" for part in "qkv"], parts, whole=f"{layer}.qkv.{kind}"
        )
    return fused


def join(
    tensors: dict[str, Tensor], names: list[str], parts: dict[str, Tensor | None], *, whole: str
) -> None:
    """Put the parts' names away for the whole; an incomplete whole stays in parts, and unknown."""
    present = [part for part in parts.values() if part is not None]
    if len(present) < len(parts) or len({part.shape[1:] for part in present}) > 1:
        return
    for name in names:
        tensors.pop(name, None)
    tensors[whole] = torch.cat(present)
