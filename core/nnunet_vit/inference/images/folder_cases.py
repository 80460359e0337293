"""The cases of a folder: nnU-Net's names, CASE_0000.ending, in each format that the model takes."""

from collections.abc import Iterable
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
from nnunet_vit.errors import shortened
from nnunet_vit.inference.images.asked_cases import (
    AskedCases,
    NamedFile,
    cases_of_named,
    name_faults,
)
from nnunet_vit.inference.images.image_formats import Formats


def cases_of_folder(folder: Path, formats: Formats) -> AskedCases:
    """Return the cases of a folder.

    Args:
        folder: of images.
        formats: which files the model takes.

    Raises:
        DataError: there is none, or names are wrong.
    """
    source, ending = f"-i {folder}", formats.ending
    others = other_images(folder, ending)
    foreign = [file for file in others if ending_of(file.name).lower() in formats.readers]
    numbered = [each for file in foreign if (each := named(file)).channel]
    plain = [file for file in foreign if not named(file).channel]
    own = [file for file in files_of(folder) if file.name.endswith(ending)]
    if own or not foreign:
        refuse(source, image_faults(folder, ending, of_model=True))
    elif not numbered:
        refuse(source, [_unnumbered(folder, plain)])
    files = [*(named(file, ending) for file in own), *numbered]
    refuse(source, name_faults(files))
    cases = cases_of_named(sorted(files, key=lambda each: each.case))
    taken = {each.file for each in numbered}
    return AskedCases(source, cases, tuple(_left_out(folder, others, taken, formats)))


def named(file: Path, ending: str = "") -> NamedFile:
    """Return case and channel of an image by its name; without a number the name is the case."""
    stem = file.name.removesuffix(ending or ending_of(file.name))
    match = CHANNEL.fullmatch(stem)
    if match is None:
        return NamedFile(stem, "", file, "")
    return NamedFile(match["case"], match["channel"], file, "")


def _unnumbered(folder: Path, plain: list[Path]) -> Fault:
    """Return the fault of a folder of images that all lack a number."""
    names = [file.name for file in plain]
    first = plain[0]
    renamed = f"{first.name.removesuffix(ending_of(first.name))}_0000{ending_of(first.name)}"
    return Fault(
        f"{folder}: image files of a folder must end in _0000, one number of four digits per "
        f"channel; found {shortened(names, SHOWN)}.",
        f"rename {first.name} to {renamed}{' and so on' if plain[1:] else ''}; or name them as "
        f"they are, in a list (-i list.txt) or one by one (-i {first} …).",
    )


def _left_out(
    folder: Path, others: Iterable[Path], taken: set[Path], formats: Formats
) -> Iterable[str]:
    left = [file for file in others if file not in taken]
    if left:
        yield (
            f"Left out of {folder}: {counted_endings(left)}; the model takes "
            f"*{formats.ending}, and others with the number of a channel."
            if any(ending_of(file.name).lower() in formats.readers for file in left)
            else f"Left out of {folder}: {counted_endings(left)}; the model takes "
            f"*{formats.ending}."
        )
