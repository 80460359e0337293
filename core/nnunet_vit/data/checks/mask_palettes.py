"""What the numbers of palette masks stand for: the colours in a mask, and whether all masks agree.

The import and the repair of a dataset take it from here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from nnunet_vit.data.checks.raster_reading import bands_of, in_threads

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array

GREY = 0x010101  # a colour of three equal parts is this times the part
BLACK = 0
NO_COLOUR = -1  # of a number beyond a palette's end
Colours = Mapping[int, int]  # that a mask holds, as 0xRRGGBB, by their number in its palette
File = TypeVar("File")


@dataclass(frozen=True)
class Meanings(Generic[File]):
    """The colours of numbers in several masks.

    Attributes:
        files: by number, by colour the first file that holds it.
    """

    files: Mapping[int, Mapping[int, File]]

    @property
    def colours(self) -> list[int]:
        """All colours, sorted."""
        return sorted({colour for own in self.files.values() for colour in own})

    @property
    def unlike(self) -> list[int]:
        """The numbers that are not one colour in all files."""
        return [number for number in sorted(self.files) if len(self.files[number]) > 1]

    def numbers_of(self, colour: int) -> list[int]:
        """Return the numbers that a colour has anywhere."""
        return sorted(number for number, own in self.files.items() if colour in own)


def meanings_of(masks: Iterable[tuple[File, Colours]]) -> Meanings[File]:
    """Return what the numbers stand for in masks, each with the colours that it holds."""
    files: dict[int, dict[int, File]] = {}
    for file, colours in masks:
        for number, colour in colours.items():
            files.setdefault(number, {}).setdefault(colour, file)
    return Meanings(files)


def unclear_palettes(masks: Iterable[Path]) -> set[Path]:
    """Return the palette masks whose numbers are no labels for certain.

    Those are masks with a colour that is another number elsewhere, a number that is another colour
    elsewhere, black that is not number 0, or another colour that is.

    Args:
        masks: of one dataset; those without a palette are passed over.
    """
    files = list(masks)
    used = dict(zip(files, in_threads(_colours_in, files), strict=True))
    unclear = {file for file, found in used.items() if not _is_clear(found)}
    clear = {file: found for file, found in used.items() if file not in unclear}
    meanings = meanings_of(clear.items())
    several = {colour for colour in meanings.colours if len(meanings.numbers_of(colour)) > 1}
    unlike = set(meanings.unlike)
    return unclear | {
        file
        for file, found in clear.items()
        if unlike & found.keys() or several & set(found.values())
    }


def colours_used(numbers: "Array", palette: "Array") -> dict[int, int]:
    """Return the colours that a mask holds as 0xRRGGBB, by number.

    Args:
        numbers: integers of any shape.
        palette: (N,) packed colours.
    """
    import numpy as np

    return {
        number: int(palette[number]) if number < len(palette) else NO_COLOUR
        for number in np.unique(numbers).tolist()
    }


def packed(colours: "Array") -> "Array":
    """Return colours as one number each: (3, …) to (…)."""
    import numpy as np

    red, green, blue = colours.astype(np.int64)
    numbers: Array = red << 16 | green << 8 | blue
    return numbers


def _is_clear(colours: Colours) -> bool:
    """Tell whether black is number 0 and nothing else is, and each number has a colour."""
    return all(
        colour != NO_COLOUR and (colour == BLACK) == (number == 0)
        for number, colour in colours.items()
    )


def _colours_in(file: Path) -> dict[int, int]:
    """Return the colours of a mask; none where it has no palette, or is damaged."""
    import numpy as np
    from PIL import Image

    if bands_of(file) != "P":
        return {}
    try:
        with Image.open(file) as picture:
            palette = np.array(picture.getpalette("RGB") or [], np.uint8).reshape(-1, 3)
            return colours_used(np.asarray(picture), packed(palette.T))
    except Exception:  # whatever a damaged file raises: it is not repaired
        return {}
