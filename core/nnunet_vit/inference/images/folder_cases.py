"""The cases of a folder: nnU-Net's names, CASE_0000.ending, in each format that the model takes."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from nnunet_vit.data.case_files import CHANNEL, files_of
from nnunet_vit.data.faults import Fault, refuse
from nnunet_vit.data.naming import (
    SHOWN,
    counted_endings,
    ending_of,
    image_faults,
    other_images,
)
from nnunet_vit.errors import counted, shortened
from nnunet_vit.inference.images.asked_cases import (
    AskedCases,
    NamedFile,
    cases_of_named,
    name_faults,
)
from nnunet_vit.inference.images.image_formats import Formats
from nnunet_vit.inference.large.which_images import clashes, ending_of_large, large_images


def cases_of_folder(folder: Path, formats: Formats) -> AskedCases:
    """Return the cases of a folder.

    Args:
        folder: of images.
        formats: which files the model takes.

    Raises:
        DataError: there is none, or names are wrong.
    """
    source, ending, large = f"-i {folder}", formats.ending, large_images(folder)
    others = [file for file in other_images(folder, ending) if file not in large.files]
    foreign = [file for file in others if ending_of(file.name).lower() in formats.readers]
    numbered = [each for file in foreign if (each := named(file)).channel]
    own = [file for file in files_of(folder, ending) if file not in large.files]
    alone = bool(large.cases) and not own and not foreign
    refuse(source, [] if alone else _misnamed(folder, own, foreign, formats=formats))
    refuse(source, _mostly_unnumbered(folder, own, foreign, numbered=len(numbered)))
    refuse(source, large.faults)
    files = [*(named(file, ending) for file in own), *numbered]
    refuse(source, name_faults(files))
    cases = cases_of_named(files)
    refuse(source, clashes(folder, cases, large))
    every = cases | large.cases
    taken = {each.file for each in numbered}
    left_out = tuple(_left_out(folder, others, taken, formats))
    ordered = {case: every[case] for case in sorted(every)}
    return AskedCases(source, ordered, left_out, large=frozenset(large.cases))


def _misnamed(
    folder: Path, own: Sequence[Path], foreign: Sequence[Path], *, formats: Formats
) -> list[Fault]:
    """Return what is wrong with names, where the folder's cases would not be what it seems."""
    if own or not foreign:
        return image_faults(folder, formats.ending, of_model=True)
    if not any(named(file).channel for file in foreign):
        return [_unnumbered(folder, foreign)]
    return []


def _mostly_unnumbered(
    folder: Path, own: Sequence[Path], foreign: Sequence[Path], *, numbered: int
) -> list[Fault]:
    """Return the fault of a folder of whose images most would be left out for their names."""
    plain = [file for file in foreign if not named(file).channel]
    return [_unnumbered(folder, plain)] if not own and len(plain) > numbered > 0 else []


def named(file: Path, ending: str = "") -> NamedFile:
    """Return case and channel of an image by its name; without a number the name is the case."""
    stem = file.name.removesuffix(ending or ending_of_large(file) or ending_of(file.name))
    match = CHANNEL.fullmatch(stem)
    if match is None:
        return NamedFile(stem, "", file, "")
    return NamedFile(match["case"], match["channel"], file, "")


def _unnumbered(folder: Path, plain: Sequence[Path]) -> Fault:
    """Return the fault of a folder of images that lack a number, all or most of them."""
    names = [file.name for file in plain]
    return Fault(
        f"{folder}: image files of a folder must end in _0000, one number of four digits per "
        f"channel; {counted(len(plain), 'file')} without: {shortened(names, SHOWN)}.",
        _numbering(plain),
    )


def _numbering(plain: Sequence[Path]) -> str:
    """Return what to do with images without a number."""
    first = plain[0]
    renamed = f"{first.name.removesuffix(ending_of(first.name))}_0000{ending_of(first.name)}"
    return (
        f"rename {first.name} to {renamed}{' and so on' if plain[1:] else ''}; or name them as "
        f"they are, in a list (-i list.txt) or one by one (-i {first} …)."
    )


def _left_out(
    folder: Path, others: Iterable[Path], taken: set[Path], formats: Formats
) -> Iterable[str]:
    left = [file for file in others if file not in taken]
    plain = [file for file in left if ending_of(file.name).lower() in formats.readers]
    if plain:
        names = shortened(file.name for file in plain)
        yield (
            f"Left out of {folder}: {names}: no number of a channel. To predict them, "
            f"{_numbering(plain)}"
        )
    strange = [file for file in left if file not in plain]
    if strange:
        names = shortened(file.name for file in strange)
        yield (
            f"Left out of {folder}: {names}: no format that this model takes "
            f"({counted_endings(strange)}). Convert them to *{formats.ending} to predict them."
        )
