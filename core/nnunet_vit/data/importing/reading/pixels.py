"""What a file holds, whatever its format."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array

TRANSPARENT = "has transparency", "save it without transparency"


class UnusableError(Exception):
    """A file that cannot be imported.

    Args:
        problem: what follows its name, without a full stop: `is empty`.
        remedy: what to do, or nothing.
    """

    def __init__(self, problem: str, remedy: str = "") -> None:
        """Keep the two parts apart."""
        self.problem = problem
        self.remedy = remedy
        super().__init__(problem)


@dataclass(frozen=True)
class Placement:
    """Where the voxels lie, as SimpleITK has it: x first, in mm.

    Attributes:
        spacing: of 2 or 3 axes.
        origin: likewise.
        direction: of the axes, rows one after the other.
    """

    spacing: tuple[float, ...]
    origin: tuple[float, ...]
    direction: tuple[float, ...]


@dataclass(frozen=True)
class Pixels:
    """The pixels of a file.

    Attributes:
        values: (C, Z, Y, X) of the type that is stored; Z is 1 for a picture.
        placement: None for pictures, which have none.
        palette: (N, 3) uint8: the colours whose numbers the values are; None: values are values.
        done: what was done to the stored pixels, in words.
        as_stored: whether nnU-Net reads these very values from the file itself.
        lossy: whether the file is of a kind that changes values.
        modality: what the file says that it is of: CT, MR; nothing where it does not say.
    """

    values: "Array"
    placement: Placement | None = None
    palette: "Array | None" = None
    done: tuple[str, ...] = ()
    as_stored: bool = False
    lossy: bool = False
    modality: str = ""


def without_alpha(values: "Array", opaque: float) -> "Array":
    """Return the channels but the last one, which is transparency, where nothing is transparent.

    Shapes: (C, Z, Y, X) to (C - 1, Z, Y, X).

    Raises:
        UnusableError: something is transparent.
    """
    if (values[-1] != opaque).any():
        raise UnusableError(*TRANSPARENT)
    return values[:-1]
