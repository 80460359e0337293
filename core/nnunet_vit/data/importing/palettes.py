"""Whether palettes mean their greys or their numbers, for all masks of a dataset at once."""

from collections.abc import Sequence
from dataclasses import replace

from nnunet_vit.data.checks.mask_palettes import BLACK, GREY, meanings_of
from nnunet_vit.data.faults import Fault
from nnunet_vit.data.importing.case_facts import CaseFacts
from nnunet_vit.data.importing.class_options import BACKGROUND, ClassOptions, colour_text
from nnunet_vit.data.importing.class_rules import suggestion
from nnunet_vit.errors import shortened

SHOWN = 5


def means_greys(looks: Sequence[CaseFacts]) -> bool:
    """Tell whether all colours in all masks with a palette are greys, each with one number.

    A GIF of black and white may number them in any way, and means 0 and 255.
    """
    palettes = [look.palette for look in looks if look.palette]
    return bool(palettes) and all(
        len(set(palette.values())) == len(palette)
        and all(colour == (colour & 0xFF) * GREY for colour in palette.values())
        for palette in palettes
    )


def by_greys(look: CaseFacts) -> CaseFacts:
    """Return a case with the greys of its mask's palette in place of the numbers."""
    if not look.palette:
        return look
    counts = {look.palette[number] & 0xFF: count for number, count in look.counts.items()}
    return replace(look, counts=counts, palette={})


def number_faults(looks: Sequence[CaseFacts], options: ClassOptions) -> list[Fault]:
    """Return why the numbers of palettes are no labels: their colours say something else.

    Args:
        looks: whose palettes mean numbers.
        options: colours in it are always right; a background in it makes black what is said.
    """
    if options.colours:
        return []
    meanings = meanings_of(
        (look.masks[""].file.name, look.palette) for look in looks if look.palette
    )
    faults = []
    fix = suggestion(meanings.colours, coloured=True)
    unlike = [
        f"{number} is " + " and ".join(f"{colour_text(c)} in {file}" for c, file in found.items())
        for number, found in ((number, meanings.files[number]) for number in meanings.unlike)
    ]
    if unlike:
        faults.append(Fault(f"Palettes differ: {shortened(unlike, SHOWN)}.", fix))
    black = meanings.numbers_of(BLACK)
    said = BACKGROUND in options.numbers.values() or (bool(options.numbers) and 0 in black)
    if not unlike and not said and black not in ([], [0]):
        numbers = shortened(map(str, black), SHOWN)
        if 0 in black:  # colours do not tell them apart
            fix = suggestion(sorted(meanings.files), coloured=False)
        else:
            fix = f"{fix[:-1]}; --label background=NUMBER and the classes where numbers are meant."
        faults.append(Fault(f"Black has the number {numbers} in palettes of masks.", fix))
    return faults
