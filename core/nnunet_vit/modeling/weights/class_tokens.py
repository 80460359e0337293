"""The class token and its position: networks differ in whether they have the one and the other."""

import math

import torch
from torch import Tensor, nn

from nnunet_vit.modeling.weights.sizes import POSITIONS, class_positions

TOKEN = "cls_token"
REGISTERS = "register_tokens"
PRETRAINED = 7  # patches along the edge of 224 pixels at 32 each: smaller squares are by chance


def with_own_class_position(
    tensors: dict[str, Tensor], model: nn.Module, stated: int | None = None
) -> dict[str, Tensor]:
    """Move the class token's position to where the backbone has it; the function stays the same.

    A backbone with positions of patches alone has the position added to the token, as timm holds
    DINOv2 with registers. One that gives the token a position gets zeros for a file without it,
    such as DeiT III.

    Args:
        tensors: of the file.
        model: the backbone.
        stated: how many positions of patches the file has, as the run says; None: it does not.
    """
    positions, token = tensors.get(POSITIONS), tensors.get(TOKEN)
    own = class_positions(model)
    if positions is None or token is None or positions.ndim != 3 or own not in (0, 1):
        return tensors
    count = positions.shape[1]
    patches = int(model.pos_embed.shape[1]) - own  # type: ignore[index]
    likelihoods = [_likelihood(one, patches, stated) for one in (count, count - 1)]
    holds_one, holds_none = likelihoods[1] > likelihoods[0], likelihoods[0] > likelihoods[1]
    if own == 0 and hasattr(model, TOKEN) and (holds_one or REGISTERS in tensors):
        return {**tensors, TOKEN: token + positions[:, :1], POSITIONS: positions[:, 1:]}
    if own == 1 and holds_none:
        nothing = torch.zeros_like(positions[:, :1])
        return {**tensors, POSITIONS: torch.cat([nothing, positions], dim=1)}
    return tensors


def _likelihood(count: int, patches: int, stated: int | None) -> int:
    """Return how much speaks for a count of patches: the run's word, a square, the run's grid."""
    if count <= 0:
        return 0
    if count == stated:
        return 3
    edge = math.isqrt(count)
    is_square = edge * edge == count
    return 2 if is_square and edge >= PRETRAINED else int(is_square or count == patches)
