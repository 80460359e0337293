"""Which images are large: they are predicted in strips, all others whole in memory.

This is the one rule: whole slides and OME-Zarr always, TIFFs by their number of pixels.
"""

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from nnunet_vit.data.case_files import CHANNEL, is_foreign
from nnunet_vit.data.faults import Fault
from nnunet_vit.errors import shortened

MOST_PIXELS = 50_000_000  # of an image that is predicted whole, about 7000 x 7000
TIFFS = (".tif", ".tiff", ".btf", ".tf2", ".tf8")
SLIDES = (".svs", ".ndpi", ".mrxs", ".scn", ".bif", ".vms", ".vmu", ".svslide")
ZARRS = (".zarr",)
ENDING = re.compile(
    rf"(?:\.ome)?(?:{'|'.join(map(re.escape, (*TIFFS, *SLIDES, *ZARRS)))})$", re.IGNORECASE
)


@dataclass(frozen=True)
class LargeImages:
    """The large images of a folder.

    Attributes:
        cases: files in the order of their channels, by case.
        faults: what is wrong with names.
        others: whether the folder holds files of the model's ending that are not large.
    """

    cases: dict[str, list[Path]] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    others: bool = True

    def has(self, case: str) -> bool:
        """Tell whether a case is a large one."""
        return case in self.cases

    @property
    def files(self) -> set[Path]:
        """All files of the cases."""
        return {file for files in self.cases.values() for file in files}


def large_images(folder: Path, ending: str) -> LargeImages:
    """Return the large images of a folder.

    A slide or an OME-Zarr holds all channels: its name needs no number. TIFFs are named as other
    images, CASE_0000.tif. Where one channel is large the case is.

    Args:
        folder: of images.
        ending: that the model takes, of its other images.
    """
    found: dict[str, list[Path]] = {}
    large, bare, others = set[str](), list[str](), False
    for path in _paths(folder):
        match = ENDING.search(path.name)
        if match is None or not _readable(path):
            others |= path.name.endswith(ending) and path.is_file()
            continue
        stem = path.name[: match.start()]
        numbered = CHANNEL.fullmatch(stem)
        is_tiff = path.name.lower().endswith(TIFFS)
        if is_tiff and not _is_large(path):
            found.setdefault(numbered["case"] if numbered else stem, []).append(path)
            others |= path.name.endswith(ending)
            continue
        if is_tiff and numbered is None:
            bare.append(path.name)
            continue
        case = numbered["case"] if numbered else stem
        large.add(case)
        found.setdefault(case, []).append(path)
    cases = {case: sorted(files) for case, files in sorted(found.items()) if case in large}
    return LargeImages(cases, tuple(_bare_faults(folder, bare)), others or not cases)


def _paths(folder: Path) -> Iterator[Path]:
    with os.scandir(folder) as entries:
        yield from (folder / entry.name for entry in entries if not is_foreign(entry.name))


def _readable(path: Path) -> bool:
    """Tell whether it can be an image of its ending: a Zarr is a folder, all others are files."""
    return path.is_dir() if path.name.lower().endswith(ZARRS) else path.is_file()


def _is_large(file: Path) -> bool:
    import tifffile

    with contextlib.suppress(Exception), tifffile.TiffFile(file) as tiff:
        page = tiff.pages.first
        return bool(page.imagelength * page.imagewidth > MOST_PIXELS)
    return False  # whoever reads it whole says what is wrong


def _bare_faults(folder: Path, bare: list[str]) -> Iterator[Fault]:
    if bare:
        yield Fault(
            f"{folder}: image files must end in _0000 and their ending, one number of four digits "
            f"per channel; found {shortened(sorted(bare))}.",
            f"rename {bare[0]} to {ENDING.sub('', bare[0])}_0000{ENDING.search(bare[0])[0]}.",  # type: ignore[index]
        )
