"""A batch's logits beside its target, in the one form that all terms of a loss look at."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor
from torch.nn import functional

from nnunet_vit.losses.computing.facts import LossFacts


@dataclass(frozen=True)
class Compared:
    """Logits and truth.

    Attributes:
        logits: (B, C, H, W), float32.
        truth: (B, C, H, W) of 0 and 1: each pixel's class, or the regions that it lies in.
        valid: (B, 1, H, W) of 0 and 1; 0 where a pixel is to be ignored.
        facts: what does not change in a training.
    """

    logits: Tensor
    truth: Tensor
    valid: Tensor
    facts: LossFacts

    @cached_property
    def log_probabilities(self) -> Tensor:
        """Of the classes, or of the regions, (B, C, H, W)."""
        if self.facts.regions:
            return functional.logsigmoid(self.logits)
        return functional.log_softmax(self.logits, dim=1)

    @cached_property
    def probabilities(self) -> Tensor:
        """Of the classes, or of the regions, (B, C, H, W)."""
        return self.log_probabilities.exp()

    def channels(self, classes: list[str] | None) -> list[int]:
        """Return the channels of the classes of these names; None: of all but the background."""
        return self.facts.channels(classes)

    def pixels(self, maps: Tensor) -> Tensor:
        """Return sums over the pixels that count, per class, as nnU-Net's Dice adds them up.

        Shapes: (B, C, H, W) to (B, C); to (1, C) where the plans ask for the Dice of the batch,
        over all GPUs.
        """
        sums = (maps * self.valid).sum((2, 3))
        if not self.facts.batch_dice:
            return sums
        return _over_gpus(sums.sum(0, keepdim=True))

    def mean(self, values: Tensor, channels: list[int]) -> Tensor:
        """Return the mean of values (B, C) of those channels, weighted by the class weights."""
        weights = self.facts.weights(channels).to(values.device)
        return (values * weights).sum(1).mean() / weights.sum()


def compared(logits: Tensor, target: Tensor, facts: LossFacts) -> Compared:
    """Return logits and target side by side.

    Shapes: logits (B, C, H, W). Target (B, 1, H, W) holds class numbers; with regions it is
    (B, C, H, W), and one channel more, 1 where a pixel is to be ignored, if there are such pixels.
    """
    if facts.regions:
        valid = torch.ones_like(target[:, :1], dtype=torch.float32)
        if facts.ignore_label is not None:
            valid, target = 1 - target[:, -1:].float(), target[:, :-1]
        return Compared(logits.float(), target.float(), valid, facts)
    numbers = target.long()
    valid = torch.ones_like(numbers, dtype=torch.float32)
    if facts.ignore_label is not None:
        valid = (numbers != facts.ignore_label).float()
        numbers = torch.where(numbers == facts.ignore_label, 0, numbers)
    truth = torch.zeros_like(logits, dtype=torch.float32).scatter_(1, numbers, 1.0)
    return Compared(logits.float(), truth, valid, facts)


def _over_gpus(sums: Tensor) -> Tensor:
    """Return sums over all processes of a training on several GPUs, with their gradient."""
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return sums
    from torch.distributed.nn.functional import all_reduce

    added: Tensor = all_reduce(sums)  # type: ignore[no-untyped-call]
    return added
