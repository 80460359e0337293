"""Whether a ViT gives mirrored features for a mirrored image: hardly one does, so it is measured.

Positions have embeddings of their own and patches are looked at from left to right.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from nnunet_vit.modeling.runtime.frozen_part import FrozenPart

TOLERANCE = 1e-3  # of the features' norm; rounding of float32 comes to 1e-6, of bfloat16 to 1e-2


def mirroring_error(part: FrozenPart, images: Tensor, axis: int) -> float:
    """Return how far features of mirrored images are from mirrored features, the worst layer's.

    It is the norm of the difference as a share of that of the features.

    Args:
        part: of the backbone.
        images: (B, C, H, W), as the backbone gets them.
        axis: -2 or -1.
    """
    straight, mirrored = part.compute(images), part.compute(images.flip(axis))
    return max(
        _share(part.mirrored(name, value, axis), mirrored[name]) for name, value in straight.items()
    )


def commuting_axes(errors: Sequence[tuple[int, float]]) -> list[int]:
    """Return the axes whose error is within the tolerance."""
    return [axis for axis, error in errors if error <= TOLERANCE]


def _share(wanted: Tensor, found: Tensor) -> float:
    if not wanted.numel():
        return 0.0
    norm = torch.linalg.vector_norm
    return float(norm((found - wanted).float()) / norm(wanted.float()))
