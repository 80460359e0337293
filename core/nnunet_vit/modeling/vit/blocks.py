"""How timm's classes of ViTs begin and run their blocks, one block at a time."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from nnunet_vit.errors import ConfigError
from nnunet_vit.modeling.tokens import Tokens
from nnunet_vit.modeling.vit.classes import class_of, prefix_tokens_of

if TYPE_CHECKING:
    from timm.models.beit import Beit, Block
    from timm.models.eva import Eva
    from timm.models.vision_transformer import VisionTransformer

    ViT: TypeAlias = VisionTransformer | Eva | Beit

PLAIN, ROTATING, BIASED = ("vision_transformer", "deit"), ("eva",), ("beit",)
SUPPORTED = (*PLAIN, *ROTATING, *BIASED)


def check_runs_by_blocks(vit: nn.Module) -> None:
    """Refuse a ViT that cannot be run block by block.

    Raises:
        ConfigError: it is of another class.
    """
    module = class_of(vit).module
    if module not in SUPPORTED:
        raise ConfigError(
            f"This head works between the blocks of the ViT; {type(vit).__name__} of timm's "
            f"{module} cannot be stopped there.",
            fix=f"a model of timm's {', '.join(SUPPORTED)}, or another head.",
        )


def embed(vit: "ViT", images: Tensor) -> Tokens:
    """Return the tokens before the first block.

    Raises:
        ConfigError: this class cannot be run block by block.
    """
    check_runs_by_blocks(vit)
    module = class_of(vit).module
    places = None
    tokens = vit.patch_embed(images)
    if module in PLAIN:
        tokens = vit.norm_pre(vit.patch_drop(vit._pos_embed(tokens)))
    elif module in ROTATING:
        tokens, places = vit._pos_embed(tokens)
        tokens = vit.norm_pre(tokens)
    else:
        tokens = torch.cat([vit.cls_token.expand(tokens.shape[0], -1, -1), tokens], dim=1)
        tokens = vit.pos_drop(tokens if vit.pos_embed is None else tokens + vit.pos_embed)
        places = None if vit.rel_pos_bias is None else vit.rel_pos_bias()
    rows, columns = vit.patch_embed.dynamic_feat_size(images.shape[-2:])
    return Tokens(tokens, (int(rows), int(columns)), prefix_tokens_of(vit), places)


def run_block(vit: "ViT", number: int, tokens: Tokens, *, mask: Tensor | None) -> Tensor:
    """Return the values of tokens after a block.

    Shapes: mask, added to the scores of attention, (B, 1, N, N); values (B, N, embed_dim).
    """
    block = vit.blocks[number]
    module, added = class_of(vit).module, tokens.added.shape[1]
    if module in BIASED:
        return _through(vit, _biased, block, tokens.values, _joint_bias(tokens, mask), added)
    if module in PLAIN:
        return _through(vit, block, tokens.values, mask)
    rotation = tokens.places
    if rotation is not None:
        rotation = rotation[number] if vit.rope_mixed else rotation
        rotation = _with_unrotated(rotation, added)
    return _through(vit, block, tokens.values, rotation, mask)


def additive_mask(allowed: Tensor, values: Tensor) -> Tensor:
    """Return what is added to the scores of attention, (B or 1, 1, N, N): 0 or minus infinity.

    Args:
        allowed: (B or 1, N, N), true where the token of a row may look at that of a column.
        values: (B, N, embed_dim) of all tokens.

    Raises:
        ValueError: a mask of another shape.
    """
    batch, count, _ = values.shape
    if allowed.shape not in ((batch, count, count), (1, count, count)):
        raise ValueError(
            f"attention_mask of shape {tuple(allowed.shape)}; needed: ({batch} or 1, {count}, "
            f"{count}), as many tokens as tokens.values has"
        )
    blocked = allowed.logical_not().unsqueeze(1)
    return values.new_zeros(blocked.shape).masked_fill(blocked, float("-inf"))


def _through(vit: "ViT", function: Callable[..., Tensor], *arguments: object) -> Tensor:
    if vit.grad_checkpointing and torch.is_grad_enabled():
        values: Tensor = checkpoint(function, *arguments, use_reentrant=False)
        return values
    return function(*arguments)


def _with_unrotated(rotation: Tensor, count: int) -> Tensor:
    """Append rows whose sine is 0 and cosine 1: (…, N, 2 * d) to (…, N + count, 2 * d)."""
    half = rotation.new_zeros(*rotation.shape[:-2], count, rotation.shape[-1] // 2)
    return torch.cat([rotation, torch.cat([half, half + 1], dim=-1)], dim=-2)


def _joint_bias(tokens: Tokens, mask: Tensor | None) -> Tensor | None:
    if tokens.places is None:
        return mask
    bias = _padded(tokens.places, tokens.added.shape[1])
    return bias if mask is None else bias + mask


def _biased(block: "Block", values: Tensor, bias: Tensor | None, added: int) -> Tensor:
    """Run a block whose attention knows each pair of places; added tokens get no bias."""
    attention = block.attn
    if added and attention.relative_position_bias_table is not None:
        own = attention._get_rel_pos_bias
        attention._get_rel_pos_bias = lambda: _padded(own(), added)
    try:
        result: Tensor = block(values, shared_rel_pos_bias=bias)
    finally:
        vars(attention).pop("_get_rel_pos_bias", None)
    return result


def _padded(bias: Tensor, count: int) -> Tensor:
    return functional.pad(bias, (0, count, 0, count))
