"""Terms that are a mean over pixels: cross entropy and what is made from it."""

import torch
from torch import Tensor
from torch.nn import functional

from nnunet_vit.losses.computing.compared import Compared


def entropies(compared: Compared, smoothing: float = 0.0) -> Tensor:
    """Return -log p of what is true, (B, C, H, W): 0 at the classes that a pixel does not have.

    Of regions it is the binary cross entropy of each.

    Args:
        compared: logits and truth.
        smoothing: share of the truth that is spread over all classes, of regions over yes and no.
    """
    truth = compared.truth
    if compared.facts.regions:
        smoothed = truth * (1 - smoothing) + smoothing / 2
        return functional.binary_cross_entropy_with_logits(
            compared.logits, smoothed, reduction="none"
        )
    smoothed = truth * (1 - smoothing) + smoothing / truth.shape[1]
    return -compared.log_probabilities * smoothed


def pixel_mean(values: Tensor, compared: Compared) -> Tensor:
    """Return the mean of a value of each pixel, weighted by the class weights; 0 without a pixel.

    Of classes a pixel has the weight of its class, as in torch's cross entropy; of regions each
    region's mean has its weight. With pixels to ignore, nnU-Net adds up the regions; so does this.

    Args:
        values: (B, C, H, W), of classes to be added up over C.
        compared: what they belong to.
    """
    weights = compared.facts.weights().to(values.device).view(1, -1, 1, 1)
    if compared.facts.regions:
        weighted = weights * compared.valid
        mean = (values * weighted).sum() / weighted.expand_as(values).sum().clamp_min(1e-8)
        return mean if compared.facts.ignore_label is None else mean * values.shape[1]
    of_pixels = (weights * compared.truth).sum(1, keepdim=True) * compared.valid
    total: Tensor = (values.sum(1, keepdim=True) * of_pixels).sum()
    return total / torch.clamp_min(of_pixels.sum(), 1e-8)
