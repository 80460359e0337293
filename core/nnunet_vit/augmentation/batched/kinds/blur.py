"""Gaussian blur, along rows and columns by two widths."""

from typing import TYPE_CHECKING

import numpy as np
import torch
from batchgeneratorsv2.transforms.noise.gaussian_blur import GaussianBlurTransform
from torch import Tensor
from torch.nn.functional import pad

from nnunet_vit.augmentation.batched.picked import PickedTransform, column

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array

TRUNCATE = 6  # sigmas that a kernel is long, as in batchgeneratorsv2


class BatchedBlur(PickedTransform):
    """Convolves, where batchgeneratorsv2 may take a Fourier transform: the same in all but bits."""

    of = GaussianBlurTransform
    settings = frozenset(
        {"blur_sigma", "benchmark", "synchronize_channels", "synchronize_axes", "p_per_channel",
         "benchmark_use_fft", "benchmark_num_runs"}
    )  # fmt: skip
    ranges = ("blur_sigma",)

    def draw(self, image: Tensor) -> "Array | None":
        """Return channels with sigmas down and across, pixels."""
        drawn = self.transform.get_parameters(image=image)
        channels = drawn["apply_to_channel"].numpy().nonzero()[0]
        if not len(channels):
            return None
        sigmas = np.broadcast_to(np.reshape(drawn["sigmas"], (-1, 2)), (len(channels), 2))
        return np.concatenate([channels[:, None], sigmas], 1)

    def changed(self, picked: Tensor, numbers: "Array", random: torch.Generator) -> Tensor:
        """Blur along columns, then along rows."""
        for axis in (1, 2):
            picked = _blurred(picked, kernels(numbers[:, axis - 1]), axis)
        return picked


def kernels(sigmas: "Array") -> "Array":
    """Return kernels (n, 1 + r) from their middle on, 0 beyond each one's own length."""
    wanted = TRUNCATE * np.asarray(sigmas, dtype=np.float64) + 0.5
    near = np.round(wanted)
    even = near % 2 == 0
    length = np.where(even, near + np.where(wanted >= near, 1, -1), near)
    steps = np.arange(int(length.max()) // 2 + 1)
    values: Array = np.exp(-0.5 * (steps / np.asarray(sigmas)[:, None]) ** 2)
    values *= steps <= (length[:, None] - 1) / 2
    whole: Array = 2 * values.sum(1) - values[:, 0]
    values /= whole[:, None]
    return values


def _blurred(picked: Tensor, weights: "Array", axis: int) -> Tensor:
    """Return images (n, H, W) convolved along an axis; edges are mirrored."""
    reach, size = weights.shape[1] - 1, picked.shape[axis]
    edges = (0, 0, reach, reach) if axis == 1 else (reach, reach, 0, 0)
    padded = pad(picked, edges, mode="reflect")
    result = picked * column(weights[:, 0], picked)
    for step in range(1, reach + 1):
        both = padded.narrow(axis, reach - step, size) + padded.narrow(axis, reach + step, size)
        result.addcmul_(both, column(weights[:, step], picked))
    return result


BATCHED = (BatchedBlur,)
