"""The masks of one class in one case, and what several metrics need of them, made once."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from nnunet_vit.errors import ConfigError
from nnunet_vit.evaluation.lesion_matching import Lesions, match

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array

Empty = Literal["", "reference", "prediction", "both"]


@dataclass(frozen=True)
class MetricOptions:
    """What metrics can be told.

    Attributes:
        tolerance: distance that a surface may be off, in mm, or in pixels where files have no mm.
        overlap: intersection over union from which two lesions are one.
    """

    tolerance: float = 2.0
    overlap: float = 0.1

    def __post_init__(self) -> None:
        """Refuse what no mask could be measured with.

        Raises:
            ConfigError: names the option.
        """
        if not (math.isfinite(self.tolerance) and self.tolerance >= 0):
            raise ConfigError(f"--tolerance is {self.tolerance}; allowed: a length from 0.")
        if not 0 <= self.overlap <= 1:
            raise ConfigError(f"--overlap is {self.overlap}; allowed: 0 to 1.")


@dataclass(frozen=True)
class Curve:
    """What each threshold of the probability would find, from the highest threshold down.

    Attributes:
        found: share of the reference's pixels at or above the threshold.
        wrong: share of the other pixels there.
        positives: pixels of the reference.
        negatives: the others.
    """

    found: "Array"
    wrong: "Array"
    positives: int
    negatives: int


@dataclass(frozen=True, eq=False)  # cached properties are kept beside the fields
class ClassMasks:
    """A class or region of one case: where it is, and where it was predicted.

    Attributes:
        reference: (Y, X) or (Z, Y, X) bool.
        prediction: likewise.
        spacing: of each axis, in mm or pixels.
        counts: nnU-Net's Dice, IoU, TP, FP, FN, TN, n_ref, n_pred of the pixels that count.
        options: tolerance and overlap.
        counted: false where a pixel does not count; both masks are false there.
        probability: of the class, 0 to 1, where it is at hand.
    """

    reference: "Array"
    prediction: "Array"
    spacing: tuple[float, ...]
    counts: Mapping[str, float]
    options: MetricOptions = field(default_factory=MetricOptions)
    counted: "Array | None" = None
    probability: "Array | None" = None

    @cached_property
    def empty(self) -> Empty:
        """Which of the masks has no pixel."""
        empty = not self.counts["n_ref"], not self.counts["n_pred"]
        if all(empty):
            return "both"
        return "reference" if empty[0] else "prediction" if empty[1] else ""

    @property
    def diagonal(self) -> float:
        """The image's diagonal, in the unit of the spacing."""
        sides = zip(self.reference.shape, self.spacing, strict=True)
        return math.hypot(*(count * size for count, size in sides))

    @cached_property
    def cut(self) -> tuple["Array", "Array"]:
        """Reference and prediction, cut to the smallest box that holds both: all else is false."""
        from scipy.ndimage import find_objects

        (box,) = find_objects((self.reference | self.prediction).view("uint8"))
        return self.reference[box], self.prediction[box]

    @cached_property
    def surfaces(self) -> tuple["Array", "Array"]:
        """The surface of each cut mask: pixels that touch others by a side, or the image's end."""
        from scipy.ndimage import binary_erosion

        reference, prediction = (mask & ~binary_erosion(mask) for mask in self.cut)
        return reference, prediction

    @cached_property
    def distances(self) -> tuple["Array", "Array"]:
        """Distances of the reference's surface pixels to the prediction's surface, and back."""
        import numpy as np
        from scipy.spatial import cKDTree

        # quicker than a distance transform of all pixels, and its memory is that of the surfaces
        reference, prediction = (np.argwhere(each) * self.spacing for each in self.surfaces)
        trees = [cKDTree(each, balanced_tree=False) for each in (reference, prediction)]
        return trees[1].query(reference)[0], trees[0].query(prediction)[0]

    @cached_property
    def lesions(self) -> Lesions:
        """How many connected parts match; those of cut masks are those of whole ones."""
        return match(*self.cut, self.options.overlap)

    @property
    def counted_pixels(self) -> tuple["Array", "Array"]:
        """Reference and probability of the pixels that count, one after another."""
        assert self.probability is not None
        used = ... if self.counted is None else self.counted
        return self.reference[used].ravel(), self.probability[used].ravel()

    @cached_property
    def curve(self) -> Curve | None:
        """What each threshold would find; None where all pixels that count are of one kind."""
        from sklearn.metrics import roc_curve

        truth, probability = self.counted_pixels
        positives = int(truth.sum())
        if positives in (0, truth.size):
            return None
        wrong, found, _ = roc_curve(truth, probability, drop_intermediate=False)
        return Curve(found, wrong, positives, truth.size - positives)
