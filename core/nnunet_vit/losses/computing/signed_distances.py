"""Distances of all pixels to the edge of masks, exact, on whatever device the masks are."""

import math

import torch
from torch import Tensor

MOST_NUMBERS = 2**24  # in one piece of work: 64 MB of float32


def signed_distances(masks: Tensor, valid: Tensor) -> Tensor:
    """Return the distance to the edge of each mask in diagonals: 0 on its inner edge, - inside.

    A mask that is empty or full has no edge: 0 everywhere. Pixels to ignore are neither inside nor
    outside, so that none of them makes an edge.

    Shapes: masks (B, C, H, W) of 0 and 1, the result likewise, without a gradient; valid
    (B, 1, H, W), 0 where a pixel is to be ignored.
    """
    with torch.no_grad():
        known = valid > 0.5
        inside, outside = (masks > 0.5) & known, (masks <= 0.5) & known
        # a GPU is faster than the way there and back; tensors without values have torch's way alone
        by_scipy = masks.device.type == "cpu" and type(masks) is Tensor
        distances = distances_by_scipy if by_scipy else distances_by_torch
        has_edge = inside.any(-1).any(-1) & outside.any(-1).any(-1)
        signed = torch.where(inside, 1 - distances(outside), distances(inside))
        return signed * has_edge[..., None, None] / math.hypot(*masks.shape[-2:])


def distances_by_scipy(wanted: Tensor) -> Tensor:
    """Return each pixel's distance to the nearest wanted one, in pixels; any number without one.

    Shapes: wanted (B, C, H, W) of bool, the result likewise, of float32.
    """
    from scipy.ndimage import distance_transform_edt

    maps = (~wanted).flatten(0, 1).numpy()
    found = [torch.from_numpy(distance_transform_edt(each)).float() for each in maps]
    return torch.stack(found).reshape(wanted.shape)


def distances_by_torch(wanted: Tensor) -> Tensor:
    """Return the same by torch alone: the nearest in each column, then the nearest of columns."""
    batch, classes, height, width = wanted.shape
    columns = _along_columns(wanted).square().reshape(-1, 1, width)
    places = torch.arange(width, device=wanted.device, dtype=torch.float32)
    across = (places[:, None] - places[None, :]).square()
    pieces = torch.split(columns, max(1, MOST_NUMBERS // width**2))
    nearest = [(piece + across).amin(-1) for piece in pieces]
    return torch.cat(nearest).reshape(batch, classes, height, width).sqrt()


def _along_columns(wanted: Tensor) -> Tensor:
    """Return each pixel's distance to the nearest wanted one above or below, else a long one."""
    height, width = wanted.shape[-2:]
    far = float(height + width)
    rows = torch.arange(height, device=wanted.device, dtype=torch.float32).view(-1, 1)
    above = torch.where(wanted, rows, -far).cummax(-2).values
    below = torch.where(wanted, rows, 2 * far).flip(-2).cummin(-2).values.flip(-2)
    return torch.minimum(rows - above, below - rows).clamp_max(far)
