"""What a cache of features holds and gives up, for its record and for people."""

from collections.abc import Mapping
from dataclasses import dataclass

from nnunet_vit.errors import counted
from nnunet_vit.modeling.runtime.mirrored_features import TOLERANCE
from nnunet_vit.quantities import bytes_text

AXES = {-2: "up and down", -1: "left and right"}


@dataclass(frozen=True)
class CacheFigures:
    """A cache's figures.

    Attributes:
        views: of all cases.
        cases: of the training.
        bytes: of all views, images and masks included.
        steps: in which they are made; no later one has a new view.
        where: memory or disk.
        dtype: of the features.
        mirroring_errors: by axis of the image, how far features of mirrored images are from
            mirrored features, as a share of their norm; empty: nothing is mirrored.
    """

    views: int
    cases: int
    bytes: int
    steps: int
    where: str
    dtype: str
    mirroring_errors: Mapping[int, float]

    def as_text(self) -> str:
        """Return it for people, with what is given up."""
        where = "in memory" if self.where == "memory" else "on the disk"
        return (
            f"Features of {self.views} views of {counted(self.cases, 'training case')} are kept "
            f"{where}: {bytes_text(self.bytes)}, "
            f"features in {self.dtype}. The first {counted(self.steps, 'step')} make them; later "
            f"ones draw from these views, without fresh augmentation.{self._mirroring()}"
        )

    def _mirroring(self) -> str:
        told = [
            f"{AXES[axis]} {error:.2g} ({'done' if error <= TOLERANCE else 'not done'})"
            for axis, error in self.mirroring_errors.items()
        ]
        if not told:
            return ""
        return (
            " Mirroring drawn views as well, where their features change by at most "
            f"{TOLERANCE:g} of their norm: {', '.join(told)}."
        )
