"""Whether the exported network says what PyTorch's says."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from nnunet_vit.errors import NumericsError

ALLOWED = 1e-4  # of logits up to 1; of larger ones this share of the largest
NUDGE = 1e-6  # of an image's values: as far as rounding inside a network is off
NUDGES = 3
STEEP = 4.0  # times what a nudge changes

Run = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Difference:
    """How far logits are apart: the largest difference of two of them, and the mean one."""

    largest: float = 0.0
    mean: float = 0.0


@dataclass(frozen=True)
class Agreement:
    """How near an exported network is to its original on tiles that were tried.

    Attributes:
        found: the difference of the two.
        own: what nudges of the images change in the original's logits; 0 where nobody asked.
        logit: the largest one.
    """

    found: Difference
    own: Difference
    logit: float

    @property
    def allowed(self) -> float:
        """The difference of logits that is taken as none."""
        return ALLOWED * max(1.0, self.logit)

    @property
    def exact(self) -> bool:
        """Whether no logit differs by more."""
        return self.found.largest <= self.allowed

    @property
    def holds(self) -> bool:
        """Whether the two say the same, as far as the original says the same twice.

        Logits can be steep in what they are computed from: of masks that are added up to nearly 1,
        or of attention that a threshold cuts off. There rounding alone moves them by more, in
        PyTorch too, as between a batch of one image and one of several.
        """
        steep = self.found.largest <= STEEP * self.own.largest and self.found.mean <= self.allowed
        return self.exact or steep


@torch.no_grad()
def agreement(network: Run, exported: Run, tiles: Iterable[Tensor]) -> Agreement:
    """Compare an exported network with its original.

    Args:
        network: images (B, C, H, W) to logits.
        exported: likewise.
        tiles: batches of images.
    """
    found, own, largest = [Difference()], [Difference()], 0.0
    for images in tiles:
        expected, other = network(images), exported(images)
        if expected.shape != other.shape or not bool(torch.isfinite(other).all()):
            return Agreement(Difference(torch.inf, torch.inf), Difference(), largest)
        largest = max(largest, float(expected.abs().max()))
        found.append(_between(expected, other))
        if found[-1].largest > ALLOWED * max(1.0, largest):
            own += [_between(expected, network(near)) for near in _nudged(images)]
    return Agreement(_worst(found), _worst(own), largest)


def check_agreement(compared: Agreement) -> None:
    """Refuse an exported network that says something else.

    Raises:
        NumericsError: with how far apart the two are.
    """
    if not compared.holds:
        raise NumericsError(
            f"In onnxruntime a logit differs from PyTorch's by {compared.found.largest:.2g}; "
            f"allowed: {compared.allowed:.2g}, of logits up to {compared.logit:.3g}. Nothing was "
            "written.",
            fix="update onnx, onnxscript and onnxruntime, or another --opset; `vit_cli check-head` "
            "tells whether the head can be exported.",
        )


def _nudged(images: Tensor) -> Iterable[Tensor]:
    generator = torch.Generator().manual_seed(0)
    for _ in range(NUDGES):
        yield images + NUDGE * torch.randn(images.shape, generator=generator)


def _between(one: Tensor, other: Tensor) -> Difference:
    apart = (one - other).abs()
    return Difference(float(apart.max()), float(apart.mean()))


def _worst(differences: list[Difference]) -> Difference:
    return Difference(
        max(each.largest for each in differences), max(each.mean for each in differences)
    )
