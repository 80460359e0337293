"""Values that no training leaves behind: not finite, or zero where a download stopped."""

from pathlib import Path

import torch
from torch import Tensor

from nnunet_vit.errors import ModelError, shortened
from nnunet_vit.modeling.weights.shapes.class_tokens import TOKEN
from nnunet_vit.modeling.weights.shapes.sizes import POSITIONS

ROWS = 4  # in a row; fewer may be dead filters of a network that was trained to the end
SHARE = 16  # at most one part in so many may be zero in a row


def refuse_damage(tensors: dict[str, Tensor], path: Path) -> None:
    """Refuse values that are not finite, and weights that are zero.

    Biases and LayerScale may be zero, positions only together with the class token, before a
    training; matrices and norms are never, unless a download was interrupted after the file had
    been given its final length.

    Args:
        tensors: of the backbone, by its names.
        path: of the file.

    Raises:
        ModelError: with the names.
    """
    broken = [
        name
        for name, tensor in tensors.items()
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor.float()).all())
    ]
    if broken:
        raise ModelError(
            f"{path} holds values that are not finite (NaN or infinity): {shortened(broken)}.",
            fix="fetch the file again, or choose another checkpoint of that training.",
        )
    weights = {name: tensor for name, tensor in tensors.items() if _is_weight(name, tensor)}
    if TOKEN in tensors and not bool(tensors[TOKEN].any()):  # so a DeiT begins
        weights = {n: t for n, t in weights.items() if not n.endswith(POSITIONS) or bool(t.any())}
    zero = [name for name, tensor in weights.items() if _is_zeroed(tensor)]
    if zero:
        raise ModelError(
            f"{path} is damaged: {len(zero)} of {len(weights)} weights of the backbone are zero, "
            f"wholly or over many rows: {shortened(zero)}. A download or copy that was interrupted "
            "after the file had got its full length looks so.",
            fix="fetch the file again and compare its sha256 with the publisher's.",
        )


def _is_weight(name: str, tensor: Tensor) -> bool:
    if not name.endswith((".weight", POSITIONS)) or not tensor.is_floating_point():
        return False
    return tensor.ndim >= 2 or "norm" in name


def _is_zeroed(tensor: Tensor) -> bool:
    """Tell whether a tensor is zero throughout, or in many rows that follow each other."""
    if not bool(tensor.any()):
        return True
    if tensor.ndim < 2:
        return False
    rows = tensor[0] if len(tensor) == 1 else tensor  # positions are (1, N, D)
    filled = rows.flatten(1).ne(0).any(dim=1).nonzero().flatten()
    edges = torch.cat([filled.new_tensor([-1]), filled, filled.new_tensor([len(rows)])])
    longest = int(edges.diff().max()) - 1
    return longest >= max(ROWS, len(rows) // SHARE)
