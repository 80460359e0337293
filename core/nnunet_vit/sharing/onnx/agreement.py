"""Whether the exported network says what PyTorch's says."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from nnunet_vit.errors import NumericsError

ALLOWED = 1e-4  # of logits up to 1, and of probabilities; of larger logits this share
NUDGE = 1e-6  # of an image's values: as far as rounding inside a network is off
STEEP = 10.0  # times what the nudge changes

Run = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Agreement:
    """How near two networks are to each other on tiles that were tried.

    Attributes:
        difference: the largest of two logits.
        largest: logit.
        probabilities: the largest difference of two of them.
        own: by how much the first network's logits change with the last bits of the images.
    """

    difference: float
    largest: float
    probabilities: float
    own: float

    @property
    def allowed(self) -> float:
        """The difference of logits that is no matter of rounding."""
        return ALLOWED * max(1.0, self.largest)

    @property
    def steep(self) -> bool:
        """Whether a logit differs by more, but the network's own do so too, and no probability."""
        within = self.probabilities <= ALLOWED and self.difference <= STEEP * self.own
        return self.difference > self.allowed and within

    @property
    def holds(self) -> bool:
        """Whether the networks say the same."""
        return self.difference <= self.allowed or self.steep


@torch.no_grad()
def agreement(network: Run, exported: Run, tiles: Iterable[Tensor], *, sigmoid: bool) -> Agreement:
    """Compare an exported network with its original.

    Args:
        network: images (B, C, H, W) to logits.
        exported: likewise.
        tiles: batches of images.
        sigmoid: whether outputs are regions, each with a probability of its own.
    """
    differences, largest, probabilities, own = [0.0], [0.0], [0.0], [0.0]
    for images in tiles:
        expected, found = network(images), exported(images)
        if expected.shape != found.shape or not bool(torch.isfinite(found).all()):
            differences.append(float("inf"))
            continue
        differences.append(_largest(found - expected))
        largest.append(_largest(expected))
        sure = torch.sigmoid if sigmoid else lambda logits: torch.softmax(logits, dim=1)
        probabilities.append(_largest(sure(found) - sure(expected)))
        if differences[-1] > ALLOWED * max(1.0, largest[-1]):
            generator = torch.Generator().manual_seed(0)
            nudge = NUDGE * torch.randn(images.shape, generator=generator)
            own.append(_largest(network(images + nudge) - expected))
    return Agreement(max(differences), max(largest), max(probabilities), max(own))


def check_agreement(found: Agreement) -> None:
    """Refuse an exported network that says something else.

    Raises:
        NumericsError: with how far apart the two are.
    """
    if not found.holds:
        raise NumericsError(
            f"The network in onnxruntime differs from PyTorch's by {found.difference:.2g} (logits "
            f"up to {found.largest:.3g}; allowed: {found.allowed:.2g}). Nothing was written.",
            fix="another --opset, or update onnx, onnxscript and onnxruntime; `vit_cli check-head` "
            "tells whether the head can be exported.",
        )


def _largest(values: Tensor) -> float:
    return float(values.abs().max())
