"""The files of a case in the dataset: copied or linked where that is the same, else written."""

import gzip
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit.data.file_faults import FileFault
from nnunet_vit.data.importing.case_facts import CaseFacts, FileFacts, read_image
from nnunet_vit.data.importing.class_rules import ClassRule
from nnunet_vit.data.importing.mask_pixels import mask_pixels_of
from nnunet_vit.data.importing.overlapping import OverlapRule
from nnunet_vit.data.importing.reading.any_pixels import Reading, read_pixels
from nnunet_vit.data.importing.reading.pixels import Pixels, Placement
from nnunet_vit.data.importing.target_format import Target
from nnunet_vit.data.naming import ending_of
from nnunet_vit.errors import DataError
from nnunet_vit.files.json_file import JsonObject

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array

COPIED, LINKED, WRITTEN = "copied", "linked", "written without loss"


@dataclass(frozen=True)
class CaseWriter:
    """Writes cases.

    Attributes:
        reading: what files do not say themselves.
        target: the format.
        rule: how masks become labels.
        link: whether files that stay what they are are linked instead of copied.
    """

    reading: Reading
    target: Target
    rule: ClassRule | OverlapRule
    link: bool

    def write(self, facts: CaseFacts, dataset: Path) -> JsonObject:
        """Write the images and the mask of a case and return what was done, for the record.

        Raises:
            DataError: a file is not what it was when it was looked at.
        """
        case = facts.case
        images = dataset / f"images{case.part}"
        record: JsonObject = {
            "part": "training" if case.part == "Tr" else "test",
            "images": list(self._images(facts, images)),
        }
        if case.group:
            record["group"] = case.group
        if case.masks:
            file = dataset / f"labels{case.part}" / f"{case.name}{self.target.ending}"
            record["mask"] = self._mask(facts, file)
        return record

    def _images(self, facts: CaseFacts, folder: Path) -> Iterator[JsonObject]:
        number = 0
        for image in facts.images:
            files = [
                folder / f"{facts.case.name}_{number + place:04}{self.target.ending}"
                for place in range(1 if self.target.whole else image.shape[0])
            ]
            number += len(files)
            how = self._taken(image, files[0]) if len(files) == 1 else ""
            if not how:
                how = WRITTEN
                pixels = _same(read_image(image.file, self.reading), image)
                parts = [pixels.values] if self.target.whole else pixels.values[:, None]
                for file, values in zip(files, parts, strict=True):
                    write_pixels(values, pixels.placement, file)
            done = [*image.done, how]
            names = [file.name for file in files]
            yield {"source": str(image.file), "files": names, "done": done}

    def labels(self, facts: CaseFacts) -> "Array":
        """Return the labels of a case: (Z, Y, X).

        Raises:
            DataError: a mask is not what it was when it was looked at.
        """
        masks = {
            name: mask_pixels_of(_same(read_pixels(mask.file, self.reading), mask))
            for name, mask in facts.masks.items()
        }
        if isinstance(self.rule, OverlapRule):
            return self.rule.applied(masks, facts.images[0].shape[1:])
        return self.rule.applied(masks[""])

    def _mask(self, facts: CaseFacts, file: Path) -> JsonObject:
        sources = {name: str(mask.file) for name, mask in facts.masks.items()}
        only = facts.masks.get("")
        how = ""
        if only and isinstance(self.rule, ClassRule) and self.rule.keeps:
            alike = (only.placement is None) == (not self.target.placed) and only.shape[0] == 1
            how = self._taken(only, file) if alike else ""
        if not how:
            how = WRITTEN
            write_pixels(self.labels(facts)[None], facts.images[0].placement, file)
        done = [*dict.fromkeys(text for mask in facts.masks.values() for text in mask.done), how]
        return {"source": (only and str(only.file)) or sources, "files": [file.name], "done": done}

    def _taken(self, facts: FileFacts, file: Path) -> str:
        """Copy or link a file that says the same in the dataset; return how, or nothing."""
        ending = ending_of(facts.file.name).lower()
        if not facts.as_stored or (facts.shape[0] > 1 and not self.target.whole):
            return ""
        if ending == ".nii" and self.target.ending == ".nii.gz":
            with facts.file.open("rb") as stored, gzip.open(file, "wb", 6) as zipped:
                shutil.copyfileobj(stored, zipped)
            return "compressed"
        if ending != self.target.ending:
            return ""
        if self.link:
            os.symlink(facts.file.resolve(), file)
            return LINKED
        shutil.copyfile(facts.file, file)
        return COPIED


def _same(pixels: Pixels | FileFault, facts: FileFacts) -> Pixels:
    """Return pixels that are of the size and type that they had.

    Raises:
        DataError: they are not.
    """
    if isinstance(pixels, Pixels) and pixels.values.shape == facts.shape:
        return pixels
    raise DataError(f"{facts.file} was changed meanwhile.", fix="the same command again.")


def write_pixels(values: "Array", placement: Placement | None, file: Path) -> None:
    """Write pixels as nnU-Net reads them.

    Args:
        values: (C, Z, Y, X), several channels for pictures alone.
        placement: of the voxels; None: a picture.
        file: its ending says the format.
    """
    import numpy as np

    if placement is not None:
        import SimpleITK

        kept = values[0].astype(np.float32) if values.dtype == np.float16 else values[0]
        image = SimpleITK.GetImageFromArray(kept if len(placement.spacing) == 3 else kept[0])
        image.SetSpacing(placement.spacing)
        image.SetOrigin(placement.origin)
        image.SetDirection(placement.direction)
        SimpleITK.WriteImage(image, str(file), useCompression=True)
        return
    plane = values[:, 0]
    picture = np.ascontiguousarray(plane[0] if len(plane) == 1 else np.moveaxis(plane, 0, -1))
    if file.suffix == ".tif":
        import tifffile

        tifffile.imwrite(file, picture, compression="zlib", photometric="minisblack")
        return
    from PIL import Image

    Image.fromarray(picture).save(file)
