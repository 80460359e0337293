"""Which images are large: they are predicted in strips, all others whole in memory.

This is the one rule: whole slides and OME-Zarr always, TIFFs by their number of pixels.
"""

import contextlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nnunet_vit.data.case_files import CHANNEL, is_foreign
from nnunet_vit.data.faults import Fault
from nnunet_vit.errors import ConfigError, shortened

MOST_PIXELS = 50_000_000  # of an image that is predicted whole, about 7000 x 7000
TIFFS = (".tif", ".tiff", ".btf", ".tf2", ".tf8")
SLIDES = (".svs", ".ndpi", ".mrxs", ".scn", ".bif", ".vms", ".vmu", ".svslide")
ZARRS = (".zarr",)
MASK = ".tif"  # the ending of masks that are written in strips
ENDINGS = "|".join(map(re.escape, (*TIFFS, *SLIDES, *ZARRS)))
NAME = re.compile(rf"(?P<stem>.+?)(?P<ending>(?:\.ome)?(?:{ENDINGS}))", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class LargeImages:
    """The large images of a folder.

    Attributes:
        cases: files in the order of their channels, by case.
        faults: what is wrong with names.
    """

    cases: dict[str, list[Path]] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()

    @property
    def files(self) -> set[Path]:
        """All files of the cases."""
        return {file for files in self.cases.values() for file in files}


def large_images(folder: Path) -> LargeImages:
    """Return the large images of a folder.

    A slide or an OME-Zarr holds all channels: its name needs no number. TIFFs are named as other
    images, CASE_0000.tif. Where one channel is large the case is.

    Args:
        folder: of images; one that cannot be read has none.
    """
    found: dict[str, list[Path]] = {}
    large, bare = set[str](), list[str]()
    for path, name in _candidates(folder):
        numbered = CHANNEL.fullmatch(name["stem"])
        case = numbered["case"] if numbered else name["stem"]
        if not _is_tiff(path):
            large.add(case)
        elif _has_many_pixels(path):
            (large.add if numbered else bare.append)(case if numbered else path.name)
        if numbered or not _is_tiff(path):
            found.setdefault(case, []).append(path)
    cases = {case: sorted(found[case]) for case in sorted(large)}
    return LargeImages(cases, tuple(_bare_faults(folder, sorted(bare))))


def clashes(
    folder: Path, cases: Mapping[str, Sequence[Path]], large: LargeImages
) -> Iterator[Fault]:
    """Yield the cases that a folder holds twice: a_0000.png and a.svs.

    Args:
        folder: of the images.
        cases: files of the model's ending, by case.
        large: of the same folder.
    """
    for case, files in large.cases.items():
        every = {*files, *cases.get(case, ())}
        kinds = {"TIFF" if _is_tiff(file) else file.name for file in every}
        if len(kinds) > 1:
            names = shortened(sorted(file.name for file in every))
            yield Fault(f"{folder}: the case {case} is there twice: {names}.", "rename one.")


def is_large(files: Sequence[Path]) -> bool:
    """Tell whether a case with these files is large: where one channel is, the case is."""
    return any(
        _has_many_pixels(file) if _is_tiff(file) else bool(NAME.fullmatch(file.name))
        for file in files
    )


def ending_of_large(file: Path) -> str:
    """Return the ending of a slide or an OME-Zarr, as in .ome.zarr; of others nothing."""
    match = None if _is_tiff(file) else NAME.fullmatch(file.name)
    return match["ending"] if match else ""


def is_zarr(path: Path) -> bool:
    """Tell whether a folder is an image."""
    return path.name.lower().endswith(ZARRS)


def refuse_large(cases: Sequence[str], options: Sequence[str]) -> None:
    """Refuse options that need whole images.

    Args:
        cases: large ones that are to be predicted.
        options: as the command line writes them.

    Raises:
        ConfigError: there are some, and one is given.
    """
    if cases and options:
        told, verb = " and ".join(options), "are" if options[1:] else "is"
        raise ConfigError(
            f"{told} {verb} not for large images, which are read in strips: {shortened(cases)}.",
            fix=f"predict these by themselves, without {told}.",
        )


def _candidates(folder: Path) -> Iterator[tuple[Path, "re.Match[str]"]]:
    """Yield what can be a large image: a Zarr is a folder, all others are files."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for path in sorted(folder / entry.name for entry in entries):
            match = None if is_foreign(path.name) else NAME.fullmatch(path.name)
            if match and (path.is_dir() if is_zarr(path) else path.is_file()):
                yield path, match


def _is_tiff(path: Path) -> bool:
    return path.name.lower().endswith(TIFFS)


def _has_many_pixels(file: Path) -> bool:
    import tifffile

    with contextlib.suppress(Exception), tifffile.TiffFile(file) as tiff:
        page = tiff.pages.first
        return bool(page.imagelength * page.imagewidth > MOST_PIXELS)
    return False  # whoever reads it whole says what is wrong


def _bare_faults(folder: Path, bare: Sequence[str]) -> Iterator[Fault]:
    for name in bare[:1]:
        match = NAME.fullmatch(name)
        renamed = f"{match['stem']}_0000{match['ending']}" if match else name
        yield Fault(
            f"{folder}: image files must end in _0000 and their ending, one number of four digits "
            f"per channel; found {shortened(bare)}.",
            f"rename {name} to {renamed}.",
        )
