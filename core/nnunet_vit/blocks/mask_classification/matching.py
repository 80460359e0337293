"""Which query answers for which segment: costs of all pairs, and the cheapest assignment."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensor
from torch.nn import functional

UNWANTED = 1e30  # the cost of a pair whose cost is no number; scipy would stop at it


@dataclass(frozen=True)
class Matches:
    """The M matched pairs of a batch.

    Attributes:
        images: (M), their numbers in the batch.
        queries: (M)
        classes: (M)
    """

    images: Tensor
    queries: Tensor
    classes: Tensor


def class_costs(class_logits: Tensor) -> Tensor:
    """Return (B, Q, num_classes): each query's probability of a class, negative."""
    return -class_logits.softmax(dim=-1)[..., :-1]


def cross_entropy_costs(values: Tensor, truth: Tensor, counted: Tensor) -> Tensor:
    """Return each pair's mean sigmoid cross entropy (B, Q, C) at the points that count.

    Shapes: values (B, Q, K) are logits; truth (B, C, K) and counted (B, K) are 0 or 1.
    """
    weights = counted / counted.sum(dim=1, keepdim=True).clamp(min=1)
    # cross entropy is softplus(x) - x * t: no tensor of all pairs at all points is needed
    alone = torch.einsum("bqk,bk->bq", functional.softplus(values), weights)
    shared = torch.einsum("bqk,bck->bqc", values, truth * weights[:, None])
    return alone[..., None] - shared


def dice_costs(values: Tensor, truth: Tensor, counted: Tensor) -> Tensor:
    """Return each pair's soft Dice loss (B, Q, C); shapes as in cross_entropy_costs."""
    shares, truth = values.sigmoid() * counted[:, None], truth * counted[:, None]
    overlap = torch.einsum("bqk,bck->bqc", shares, truth)
    sizes = shares.sum(dim=2)[:, :, None] + truth.sum(dim=2)[:, None]
    return 1 - (2 * overlap + 1) / (sizes + 1)


def cheapest_matches(costs: Tensor, present: Tensor) -> Matches:
    """Return the pairs with the least sum of costs: each query and each segment at most once.

    Shapes: costs (B, Q, C), present (B, C).
    """
    pairs = [
        np.stack([np.full_like(queries, image), queries, classes])
        for image, (queries, classes) in enumerate(_assignments(*_on_host(costs, present)))
    ]
    images, queries, classes = torch.from_numpy(np.concatenate(pairs, axis=1)).to(costs.device)
    return Matches(images, queries, classes)


def _on_host(costs: Tensor, present: Tensor) -> "tuple[np.ndarray, np.ndarray]":
    if isinstance(costs, FakeTensor):  # a step's cost is being measured: all classes, the most
        batch, queries, classes = costs.shape
        return np.zeros((batch, queries, classes)), np.ones((batch, classes), dtype=bool)
    usable = costs.nan_to_num(nan=UNWANTED, posinf=UNWANTED, neginf=UNWANTED)
    return usable.cpu().numpy(), present.cpu().numpy()


def _assignments(
    costs: "np.ndarray", present: "np.ndarray"
) -> "list[tuple[np.ndarray, np.ndarray]]":
    found = []
    for of_image, shown in zip(costs, present, strict=True):
        classes = shown.nonzero()[0]
        queries, columns = linear_sum_assignment(of_image[:, classes])
        found.append((queries, classes[columns]))
    return found
