"""One temperature that makes probabilities mean what they say, from pixels that no model has seen.

A softmax's logits are the logarithms of its probabilities up to a constant, and a sigmoid's are
log p - log (1 - p): both are divided by the temperature. Order and threshold stay, and so do masks.
Source: Guo et al., On calibration of modern neural networks, ICML 2017.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from nnunet_vit.evaluation.metrics.calibration_error import calibration_error
from nnunet_vit.quantities import decimal_text

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array

SMALLEST, LARGEST = 1e-38, 1 - 6e-8  # that float32 tells from 0 and from 1
FLOOR = 1e-7  # of the probability of what is true: one wrong pixel must not decide
LOWEST, HIGHEST = 0.05, 20.0
PIXELS = 1_000_000  # drawn from all cases together
SEED = 0  # the same validations give the same temperature


@dataclass(frozen=True)
class Calibration:
    """A temperature and what it changes on the pixels that it was fitted to.

    Attributes:
        temperature: above 1: the probabilities were too sure.
        pixels: how many were drawn.
        nll_before: negative log-likelihood, mean over pixels, and over regions where there are.
        nll_after: with the temperature.
        ece_before: expected calibration error, mean over the foreground classes.
        ece_after: with the temperature.
    """

    temperature: float
    pixels: int
    nll_before: float
    nll_after: float
    ece_before: float
    ece_after: float

    def as_text(self) -> str:
        """Return it as a line for people."""
        errors = (self.ece_before, self.ece_after, self.nll_before, self.nll_after)
        ece, ece_after, nll, nll_after = (decimal_text(error, 4) for error in errors)
        return (
            f"Temperature {decimal_text(self.temperature, 3)} for probabilities, from "
            f"{self.pixels:,} out-of-fold pixels: ECE {ece} -> {ece_after}, NLL {nll} -> "
            f"{nll_after} on these; masks stay as they are."
        )

    def as_json(self) -> dict[str, float]:
        """Return it as a JSON file holds it."""
        return asdict(self)


def scaled(probabilities: "Array", temperature: float, *, regions: bool) -> "Array":
    """Return probabilities (C, …) after division of their logits by a temperature, float32.

    Args:
        probabilities: that add up to 1 over C, or of regions.
        temperature: above 0; 1 changes nothing.
        regions: whether each channel is a region of its own.
    """
    import numpy as np

    if temperature == 1:
        return probabilities.astype(np.float32)
    values = np.clip(probabilities.astype(np.float32), SMALLEST, LARGEST if regions else 1)
    logs: Array = np.log(values) / temperature
    if regions:
        with np.errstate(over="ignore"):  # 1 / infinity is 0
            found: Array = 1 / (1 + np.exp(np.log1p(-values) / temperature - logs))
        return found
    powers = np.exp(logs - logs.max(axis=0, keepdims=True))
    summed: Array = powers / powers.sum(axis=0, keepdims=True)
    return summed


def sample(pixels: "Array", number: int, seed: Sequence[int]) -> "Array":
    """Return at most so many of the indices of pixels, drawn without repeats."""
    import numpy as np

    if len(pixels) <= number:
        return pixels
    drawn: Array = np.random.default_rng(seed).choice(pixels, number, replace=False, shuffle=False)
    return drawn


def fitted(probabilities: "Array", truth: "Array", *, regions: bool) -> Calibration:
    """Return the temperature with the least negative log-likelihood.

    Args:
        probabilities: (C, pixels).
        truth: (C, pixels), whether each pixel is of the class or region.
        regions: whether each channel is a region of its own; else the first one is the background.
    """
    import numpy as np
    from scipy.optimize import minimize_scalar

    def loss(temperature: float) -> float:
        return _loss(scaled(probabilities, temperature, regions=regions), truth, regions=regions)

    found = minimize_scalar(
        lambda log: loss(float(np.exp(log))),
        bounds=(np.log(LOWEST), np.log(HIGHEST)),
        method="bounded",
        options={"xatol": 1e-4},
    )
    temperature, before = float(np.exp(found.x)), loss(1.0)
    if loss(temperature) >= before:
        temperature = 1.0
    after = scaled(probabilities, temperature, regions=regions)
    first = 0 if regions else 1
    return Calibration(
        temperature,
        truth.shape[1],
        before,
        loss(temperature),
        _error(probabilities[first:], truth[first:]),
        _error(after[first:], truth[first:]),
    )


def _loss(probabilities: "Array", truth: "Array", *, regions: bool) -> float:
    import numpy as np

    if regions:
        right = np.where(truth, probabilities, 1 - probabilities)
    else:
        right = probabilities[truth]
    return float(-np.log(np.maximum(right, FLOOR), dtype=np.float64).mean()) + 0.0  # no -0.0


def _error(probabilities: "Array", truth: "Array") -> float:
    errors = [calibration_error(t, p) for t, p in zip(truth, probabilities, strict=True)]
    return sum(errors) / len(errors)
