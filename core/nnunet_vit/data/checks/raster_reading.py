"""Files as nnU-Net reads them, so that what is looked at is what it computes with."""

import contextlib
import io
import itertools
import math
import os
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from nnunet_vit.data.file_faults import FileFault
from nnunet_vit.errors import DataError, MachineError
from nnunet_vit.files.integrity import flaw_of
from nnunet_vit.files.json_file import JsonMapping
from nnunet_vit.files.processors import usable_processors
from nnunet_vit.quantities import bytes_text

if TYPE_CHECKING:
    from nnunetv2.imageio.base_reader_writer import BaseReaderWriter

    from nnunet_vit.files.array_type import Array

Item = TypeVar("Item")
Result = TypeVar("Result")
TRIED = 5  # files until one says which reader is right
PICTURES = "NaturalImage2DIO"
STACKS = "Tiff3DIO"
AGAIN = "copy it again, or save it again with the program that it comes from"
ADDRESS = re.compile(r"\w+ ?\(0x[0-9a-f]+\): |\[nrrd\] \w+: ")
ITK = ("SimpleITKIO", "SimpleITKIOWithReorient")
# of `foreign_readers`, by what they open
OPEN_PICTURES = (PICTURES, "PictureAsPlane")
OPEN_WITH_ITK = (*ITK, "PlaneAsPicture", "VolumeForNibabel", "VolumeForNibabelReoriented")


@dataclass(frozen=True)
class Raster:
    """A file as nnU-Net reads it.

    Attributes:
        values: (C, Z, Y, X) float32; Z is 1 for a picture.
        spacing: (Z, Y, X), or None where nothing says it and nnU-Net takes 1.
        placement: origin and direction, empty where the format has none.
        properties: nnU-Net's, of the file.
    """

    values: "Array"
    spacing: tuple[float, ...] | None
    placement: tuple[float, ...] = ()
    properties: JsonMapping = field(default_factory=dict)


def endings() -> list[str]:
    """Return the endings of files that nnU-Net reads."""
    from nnunetv2.imageio.reader_writer_registry import LIST_OF_IO_CLASSES

    return sorted({end for reader in LIST_OF_IO_CLASSES for end in reader.supported_file_endings})


def reader_for(
    description: JsonMapping, files: Sequence[Path], role: Literal["image", "mask"]
) -> "type[BaseReaderWriter]":
    """Return nnU-Net's reader: dataset.json names it, or the first file that can be read does.

    Raises:
        DataError: nnU-Net reads no files of that ending.
    """
    from nnunetv2.imageio.reader_writer_registry import (
        LIST_OF_IO_CLASSES,
        recursive_find_reader_writer_by_name,
    )

    named = description.get("overwrite_image_reader_writer", "None")
    if named != "None":
        with contextlib.suppress(RuntimeError):  # as nnU-Net: an unknown name counts for nothing
            return recursive_find_reader_writer_by_name(named)  # type: ignore[no-any-return]
    ending = description["file_ending"]
    fitting = [r for r in LIST_OF_IO_CLASSES if ending.lower() in r.supported_file_endings]
    if not fitting:
        raise DataError(
            f"nnU-Net reads no files *{ending}; it reads {', '.join(endings())}.",
            fix="convert the images and masks, without loss, and change file_ending in "
            "dataset.json.",
        )
    if len(fitting) > 1:
        sound = (file for file in files if not flaw_of(file, ending)[0])
        tried = itertools.islice(sound, TRIED)
        with contextlib.redirect_stdout(io.StringIO()):
            for file, reader in itertools.product(tried, fitting):
                if isinstance(read(file, reader, ending, role), Raster):
                    return reader  # type: ignore[no-any-return]
    return fitting[0]  # type: ignore[no-any-return]


def read(
    file: Path, reader: "type[BaseReaderWriter]", ending: str, role: Literal["image", "mask"]
) -> Raster | FileFault:
    """Return what nnU-Net reads from one file, or why that is nothing to compute with.

    Raises:
        MachineError: it is larger than the memory that is there.
    """
    problem, remedy = flaw_of(file, ending)
    if not problem:
        problem, remedy = _other_layout(file, reader.__name__, ending)
    if problem:
        return FileFault(file, problem, remedy)
    try:
        opened = reader()
        name = str(file)
        values, properties = opened.read_seg(name) if role == "mask" else opened.read_images([name])
    except MemoryError as error:
        raise too_large(file, error) from error
    except Exception as error:  # whatever a reader raises on somebody's file
        if "llocate memory" in str(error):  # SimpleITK's words, in a RuntimeError
            raise too_large(file, error) from error
        return _unreadable(file, reader.__name__, error)
    spacing = properties["spacing"]
    if reader.__name__ == STACKS and not _has_spacing(file, ending, role):
        spacing = None
    spacing = None if spacing is None else tuple(map(float, spacing))
    return Raster(values, spacing, _placement(properties), properties)


def in_threads(
    look: Callable[[Item], Result],
    items: Sequence[Item],
    done: Callable[[], None] = lambda: None,
    *,
    most: int | None = None,
) -> list[Result]:
    """Return `look(item)` for each item; decoding frees the lock, and threads start at once.

    What nnU-Net's readers print meanwhile is put aside.

    Args:
        look: may be called from several threads.
        items: what to look at.
        done: called after each item, from the caller's thread.
        most: threads at the same time, 1 or more; None: as many as nnU-Net may have processes.
    """
    workers = int(os.environ.get("nnUNet_def_n_proc", usable_processors()))
    with (
        contextlib.redirect_stdout(io.StringIO()),
        ThreadPoolExecutor(max(1, min(workers, most or workers, len(items)))) as pool,
    ):
        results = []
        for result in pool.map(look, items):
            results.append(result)
            done()
    return results


def bands_of(file: Path) -> str:
    """Return how a picture stores its pixels in Pillow's words: L, P, RGBA; empty for others."""
    from PIL import Image

    with contextlib.suppress(Exception), Image.open(file) as picture:
        return str(picture.mode)
    return ""


def _unreadable(file: Path, reader: str, error: Exception) -> FileFault:
    from PIL import Image

    with contextlib.suppress(Exception), Image.open(file) as picture:
        pages = int(getattr(picture, "n_frames", 1))
        if reader in OPEN_PICTURES and pages > 1:
            what = f"holds {pages} pictures, an animation or pages"
            return FileFault(file, what, "save one picture per file")
    return FileFault(file, f"cannot be read: {reason_of(error)}", AGAIN)


def _no_stack(file: Path, ending: str) -> tuple[str, str]:
    """Return why a TIFF is no stack of grey slices, which nnU-Net takes it for."""
    import tifffile

    with contextlib.suppress(Exception), tifffile.TiffFile(file) as content:
        axes, shape = content.series[0].axes, content.series[0].shape
        if len(shape) > 3:
            return f"has {len(shape)} axes ({axes}), not 3", "save one file per channel or colour"
        if axes.endswith("S") or len(shape) == 2:
            what = f"holds one picture; nnU-Net reads *{ending} as stacks of slices"
            if ending.lower() == ".tiff":
                return what, "name all files .tif, and file_ending in dataset.json too"
            return f"{what} here", "let all files be pictures, or all stacks"
    return "", ""


def _other_layout(file: Path, reader: str, ending: str) -> tuple[str, str]:
    """Return what nnU-Net would read wrongly or not at all, though the file is sound."""
    if reader in OPEN_PICTURES and bands_of(file) in {"LA", "PA", "La"}:
        return "has 2 channels, grey and transparency", "save it without transparency"
    if reader == STACKS:
        return _no_stack(file, ending)
    if reader in OPEN_WITH_ITK:
        import SimpleITK

        header = SimpleITK.ImageFileReader()
        header.SetFileName(str(file))
        with contextlib.suppress(RuntimeError):  # reading it tells why
            header.ReadImageInformation()
            planes, parts = math.prod(header.GetSize()[2:]), header.GetNumberOfComponents()
            if reader == "PlaneAsPicture" and planes > 1:
                what = f"is a volume of {planes} planes; the model was trained on pictures"
                return what, "save its planes as pictures, one file each; or a model of volumes"
            if parts > 1:
                what = f"holds {parts} numbers per voxel (colours?), for nnU-Net another axis"
                return what, "save one file per channel"
    return "", ""


def _has_spacing(file: Path, ending: str, role: str) -> bool:
    stem = file.name.removesuffix(ending)
    return (file.parent / f"{stem if role == 'mask' else stem[:-5]}.json").is_file()


def _placement(properties: JsonMapping) -> tuple[float, ...]:
    import numpy as np

    if "sitk_stuff" in properties:
        stored = properties["sitk_stuff"]
        return (*map(float, stored["origin"]), *map(float, stored["direction"]))
    if "nibabel_stuff" in properties:
        affine = np.asarray(properties["nibabel_stuff"]["original_affine"])
        return tuple(map(float, affine.ravel()))
    return ()


def too_large(file: Path, error: Exception) -> MachineError:
    """Return the error of a file that is larger than the memory."""
    detail = "" if (told := reason_of(error)) == "MemoryError" else f": {told}"
    return MachineError(
        f"{file} ({bytes_text(file.stat().st_size)} on the disk): memory ran out{detail}.",
        fix="a machine with more memory, or cut the image into parts.",
    )


def reason_of(error: Exception) -> str:
    """Return the line of a library's message that tells something, without its addresses."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if not lines:
        return type(error).__name__
    told = [line.partition("ERROR:")[2] or line for line in lines if "ERROR:" in line]
    last = lines[-1] if lines[-1].startswith("[nrrd]") else (told or lines)[0]
    return ADDRESS.sub("", last).strip().rstrip(".:")[:200]
