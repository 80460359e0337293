"""Probabilities beside masks: CASE.npz, as nnU-Net writes them with --save_probabilities."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit.data.faults import refuse
from nnunet_vit.data.file_faults import FileFault, grouped
from nnunet_vit.evaluation.mask_pairs import Pair

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array

ENDING = ".npz"
KEY = "probabilities"
ROUNDING = 1e-3  # files may hold half precision
OTHER = 0.5  # of the pixels of both, that differ: another prediction, not a post-processed one
BROKEN = "it is damaged or cut off, or nnU-Net did not write it"
AGAIN = "predict again, with probabilities, or remove the files"


@dataclass(frozen=True)
class Channels:
    """What nnU-Net's channels of probabilities mean.

    Attributes:
        names: of the foreground classes or regions, in their order.
        regions: the label that each region paints, in nnU-Net's order; none: classes, which the
            background precedes.
    """

    names: tuple[str, ...]
    regions: tuple[int, ...] = ()

    @property
    def first(self) -> int:
        """The channel of the first name."""
        return 0 if self.regions else 1

    def mask(self, probabilities: "Array") -> "Array":
        """Return the mask that nnU-Net makes of them: (C, Z, Y, X) to (Z, Y, X)."""
        import numpy as np

        if not self.regions:
            winner: Array = probabilities.argmax(axis=0)
            return winner
        mask: Array = np.zeros(probabilities.shape[1:], int)
        for channel, label in zip(probabilities, self.regions, strict=True):
            mask[channel > 0.5] = label
        return mask


@dataclass(frozen=True)
class Probabilities:
    """Of one case.

    Attributes:
        values: (C, Z, Y, X), 0 to 1.
        channels: what C means.
        differs: whether the mask beside them is another one.
    """

    values: "Array"
    channels: Channels
    differs: bool

    def of(self, name: str) -> "Array":
        """Return the probability of a class or region, (Z, Y, X)."""
        channel: Array = self.values[self.channels.first + self.channels.names.index(name)]
        return channel


def file_of(mask: Path, ending: str) -> Path:
    """Return where the probabilities of a mask lie."""
    return mask.with_name(mask.name.removesuffix(ending) + ENDING)


def lacking(pairs: Sequence[Pair], ending: str) -> list[Path]:
    """Return the masks without probabilities."""
    masks = [pair.prediction for pair in pairs]
    return [mask for mask in masks if not file_of(mask, ending).is_file()]


def read_probabilities(
    file: Path, ending: str, channels: Channels, *, mask: "Array"
) -> Probabilities:
    """Return the probabilities beside a mask.

    Args:
        file: of the mask.
        ending: of the mask.
        channels: what the file's mean.
        mask: (Z, Y, X), what the file of the mask holds.

    Raises:
        DataError: the file is damaged, holds no probabilities, or is of another prediction.
    """
    place = file_of(file, ending)
    values, problem = _values(place)
    if not problem:
        problem = _problem(values, channels, mask)
    differing = 0.0
    if not problem:
        made = channels.mask(values)
        shown = int(((made != 0) | (mask != 0)).sum())
        differing = float((made != mask).sum() / shown) if shown else 0.0
        if differing > OTHER:
            problem = f"is of another prediction: {differing:.0%} of the mask differ"
    if problem:
        refuse(place.parent, grouped([FileFault(place, problem, AGAIN)]))
    return Probabilities(values, channels, differs=differing > 0)


def _values(file: Path) -> "tuple[Array, str]":
    """Return what the file holds, or why that is nothing."""
    import numpy as np

    nothing: Array = np.zeros(0)
    try:
        content: Mapping[str, Array] = np.load(file)
        if not isinstance(content, np.lib.npyio.NpzFile):
            return nothing, f"is no .npz archive: {BROKEN}"
        with content:
            return (content[KEY], "") if KEY in content else (nothing, f"holds no array '{KEY}'")
    except OSError as error:
        reason = error.strerror if error.errno else BROKEN
        return nothing, f"cannot be read: {reason}"
    except MemoryError:
        return nothing, "cannot be read: it needs more memory than there is, or is damaged"
    except Exception:  # whatever numpy, zipfile and zlib raise; their advice is for programmers
        return nothing, f"cannot be read: {BROKEN}"


def _problem(values: "Array", channels: Channels, mask: "Array") -> str:
    import numpy as np

    needed = (channels.first + len(channels.names), *mask.shape)
    if values.shape != needed:
        return (
            f"holds an array of shape {values.shape}; needed: {needed}, of the classes and the mask"
        )
    if values.dtype.kind != "f" or not np.isfinite(values).all():
        return "holds other things than finite numbers"
    low, high = float(values.min()), float(values.max())
    if low < -ROUNDING or high > 1 + ROUNDING:
        return f"holds numbers from {low:.3g} to {high:.3g}; probabilities lie between 0 and 1"
    if not channels.regions and not np.allclose(values.sum(axis=0), 1, atol=0.02):
        return "holds numbers that do not add up to 1 over the classes"
    return ""
