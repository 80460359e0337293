"""Whether the numbers of palette masks stand for the same colours in all files."""

from collections.abc import Iterable
from pathlib import Path

from nnunet_vit.data.checks.raster_reading import bands_of, in_threads

Colour = tuple[int, ...]
BLACK = (0, 0, 0)


def unclear_palettes(masks: Iterable[Path]) -> set[Path]:
    """Return the palette masks whose numbers are no labels for certain.

    Those are masks with a colour that is another number elsewhere, a number that is another colour
    elsewhere, black that is not number 0, or another colour that is.

    Args:
        masks: of one dataset; those without a palette are passed over.
    """
    files = list(masks)
    used = dict(zip(files, in_threads(_used, files), strict=True))
    unclear = {file for file, found in used.items() if found is not None and not _is_clear(found)}
    clear = {file: found for file, found in used.items() if found and file not in unclear}
    colours: dict[int, set[Colour]] = {}
    numbers: dict[Colour, set[int]] = {}
    for found in clear.values():
        for number, colour in found.items():
            colours.setdefault(number, set()).add(colour)
            numbers.setdefault(colour, set()).add(number)
    return unclear | {
        file
        for file, found in clear.items()
        if any(len(colours[n]) > 1 or len(numbers[c]) > 1 for n, c in found.items())
    }


def _is_clear(used: dict[int, Colour]) -> bool:
    """Tell whether black is number 0 and nothing else is, and each number has a colour."""
    return all(colour and (colour == BLACK) == (number == 0) for number, colour in used.items())


def _used(file: Path) -> dict[int, Colour] | None:
    """Return the colours of the numbers that a mask holds; () where it has none, None: no palette.

    A damaged file has no numbers.
    """
    import numpy as np
    from PIL import Image

    if bands_of(file) != "P":
        return None
    try:
        with Image.open(file) as picture:
            palette = picture.getpalette("RGB") or []
            found = np.unique(np.asarray(picture)).tolist()
    except Exception:  # whatever a damaged file raises: it is not repaired
        return {}
    return {number: tuple(palette[3 * number : 3 * number + 3]) for number in found}
