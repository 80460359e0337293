"""The cases of a list: an image, or a case with all its channels, in each line."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from nnunet_vit.data.case_files import files_of, is_foreign
from nnunet_vit.data.faults import Fault, refuse
from nnunet_vit.data.naming import ending_of
from nnunet_vit.data.table_rows import read_lines
from nnunet_vit.errors import DataError, shortened
from nnunet_vit.inference.images.asked_cases import (
    AskedCases,
    NamedFile,
    cases_of_named,
    name_faults,
)
from nnunet_vit.inference.images.folder_cases import named
from nnunet_vit.inference.images.image_formats import Formats
from nnunet_vit.inference.large.which_images import NAME, is_large

COMMENT = "#"


def cases_of_list(file: Path, formats: Formats) -> AskedCases:
    """Return the cases of a list; paths in it are relative to its folder.

    Args:
        file: an image or a case per line, `scans/a.png` or `scans/a` for its _0000, _0001 and so
            on; empty lines and those that begin with # do not count.
        formats: which files the model takes.

    Raises:
        DataError: it cannot be read, names nothing, or names a case twice.
    """
    lines = enumerate(read_lines(file, f"-i {file}"), start=1)
    entries = [(number, line.strip()) for number, line in lines]
    wanted = [(number, text) for number, text in entries if text and text[0] != COMMENT]
    if not wanted:
        raise DataError(f"-i {file} names no image.", fix="one image or case per line.")
    files = [
        replace(each, place=f"line {number} of {file.name}")
        for number, text in wanted
        for each in _of_line(file.parent / text, formats)
    ]
    return of_named(f"-i {file}", files)


def cases_of_files(images: Sequence[Path], formats: Formats) -> AskedCases:
    """Return the cases of images that are named one by one.

    Raises:
        DataError: two are the same case.
    """
    foreign = [file for file in images if is_foreign(file.name)]  # of `-i FOLDER/*`
    own = [file for file in images if file not in foreign] or images
    asked = of_named("-i", [_named(file, formats) for file in own])
    if len(own) == len(images):
        return asked
    return replace(
        asked, notices=(f"Left out: {shortened(map(str, foreign))}, files of other programs.",)
    )


def of_named(source: str, files: Sequence[NamedFile], faults: Sequence[Fault] = ()) -> AskedCases:
    """Return the cases of named files.

    Args:
        source: what gave them, as the command line has it.
        files: named.
        faults: what is wrong besides.

    Raises:
        DataError: there are faults, two files are the same case, or one cannot name a mask.
    """
    refuse(source, [*faults, *name_faults(files)])
    places = {each.case: each.place for each in reversed(files) if each.place}
    cases = cases_of_named(files)
    large = frozenset(case for case, own in cases.items() if is_large(own))
    return AskedCases(source, cases, (), places, large)


def _of_line(path: Path, formats: Formats) -> Iterable[NamedFile]:
    """Return the image that a line names, or the images of its case."""
    if path.is_file() or not path.parent.is_dir():
        return [_named(path, formats)]
    own = [
        each
        for file in files_of(path.parent)
        if file.name.startswith(path.name)
        and (each := _named(file, formats)).case == path.name
        and each.channel
        and ending_of(file.name).lower() in formats.readers
    ]
    return own or [_named(path, formats)]


def _named(file: Path, formats: Formats) -> NamedFile:
    own = formats.ending if file.name.endswith(formats.ending) else ""
    large = NAME.fullmatch(file.name)  # knows that .ome.zarr is one ending
    return named(file, max(own, large["ending"] if large else "", key=len))
