"""Where a place is in its map, in sines and cosines of its row and column."""

import math

import torch
from torch import Tensor

TEMPERATURE = 10000
SMALLEST = 1e-6  # as DETR (https://arxiv.org/abs/2005.12872) divides


def sine_positions(rows: int, columns: int, channels: int, like: Tensor) -> Tensor:
    """Return (rows * columns, channels), the row in the first half of the channels.

    Args:
        rows: of the map.
        columns: of the map.
        channels: a multiple of 4.
        like: a tensor on the device where it is needed.
    """
    down, across = (_waves(edge, channels // 2, like) for edge in (rows, columns))
    shape = (rows, columns, channels // 2)
    both = torch.cat([down[:, None].expand(shape), across[None].expand(shape)], dim=-1)
    return both.flatten(0, 1)


def centres(rows: int, columns: int, like: Tensor) -> Tensor:
    """Return the middle of each cell, (rows * columns, 2): x and y, the whole map from 0 to 1."""
    down, across = (
        (torch.arange(edge, device=like.device) + 0.5) / edge for edge in (rows, columns)
    )
    shape = (rows, columns)
    return torch.stack([across[None].expand(shape), down[:, None].expand(shape)], -1).flatten(0, 1)


def _waves(edge: int, channels: int, like: Tensor) -> Tensor:
    number = torch.arange(1, edge + 1, device=like.device) / (edge + SMALLEST)
    power = torch.arange(channels // 2, device=like.device) * (2 / channels)
    angles = 2 * math.pi * number[:, None] / TEMPERATURE**power
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)
