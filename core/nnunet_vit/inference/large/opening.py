"""A large image by its files: the source that reads its kind, and whether it suits a model."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from nnunet_vit.data.checks.images import ImageFacts, Wanted
from nnunet_vit.data.checks.raster_reading import PICTURES
from nnunet_vit.data.file_faults import FileFault
from nnunet_vit.errors import UserError, counted
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.files.machine_memory import bytes_of_machine
from nnunet_vit.inference.large.needed_memory import bytes_of_strips
from nnunet_vit.inference.large.normalizing import unknown_schemes
from nnunet_vit.inference.large.source import Source, Stacked
from nnunet_vit.inference.large.which_images import SLIDES, ZARRS
from nnunet_vit.quantities import bytes_text, sizes_text


def opened(files: Sequence[Path]) -> Source:
    """Return the source of a case's files, in the order of the channels.

    Raises:
        DataError: one is damaged, or cannot be read in parts.
        MachineError: the package that reads it is not installed.
    """
    sources: list[Source] = []
    try:
        for file in files:
            sources.append(_opened(file))
    except BaseException:
        for source in sources:
            source.close()
        raise
    return sources[0] if len(sources) == 1 else Stacked(sources)


def _opened(file: Path) -> Source:
    name = file.name.lower()
    if name.endswith(ZARRS):
        from nnunet_vit.inference.large.zarr_image import ZarrImage

        return ZarrImage(file)
    if name.endswith(SLIDES):
        from nnunet_vit.inference.large.slide_image import SlideImage

        return SlideImage(file)
    from nnunet_vit.inference.large.tiff_image import TiffImage

    return TiffImage(file)


def look_at_large(
    files: Sequence[Path], wanted: Wanted, plans: JsonObject, configuration: JsonObject
) -> ImageFacts | list[FileFault]:
    """Return size and memory of a large image by its header, or why it cannot be predicted.

    Args:
        files: in the order of the channels.
        wanted: by the model.
        plans: of the model.
        configuration: that was trained.
    """
    problem, remedy = _misfit(plans, configuration)
    if problem:
        return [FileFault(files[0], problem, remedy)]
    try:
        source = opened(files)
    except UserError as error:
        told = error.problem.removeprefix(f"{files[0]} ").rstrip(".")
        return [FileFault(files[0], told, error.fix.rstrip("."))]
    try:
        outputs = 1 if wanted.target is None else wanted.target.outputs
        memory = bytes_of_strips(source, configuration["patch_size"], outputs, 1)
        faults = list(_faults(files, source, wanted, memory=memory))
        return faults or ImageFacts(tuple(files), (1, *source.shape[1:]), None, (), memory)
    finally:
        source.close()


def _misfit(plans: JsonObject, configuration: JsonObject) -> tuple[str, str]:
    """Return why a model takes no large images at all."""
    large = "is a large image, which is read in strips"
    if len(configuration["patch_size"]) != 2:
        return f"{large}; the model is one of volumes", "predict with a model of the 2d plans"
    moved = list(plans["transpose_forward"]) != [0, 1, 2]
    spacing = list(configuration["spacing"])
    if plans["image_reader_writer"] != PICTURES or moved or any(size != 1 for size in spacing):
        return (
            f"{large} and never resampled; the model was trained on images with a spacing",
            "cut it into images of the model's format",
        )
    unknown = ", ".join(dict.fromkeys(unknown_schemes(configuration["normalization_schemes"])))
    if unknown:
        return f"{large}; the model normalizes by {unknown}", "cut it into smaller images"
    return "", ""


def _faults(
    files: Sequence[Path], source: Source, wanted: Wanted, *, memory: int
) -> Iterator[FileFault]:
    if isinstance(source, Stacked) and (other := source.other_size(files)):
        yield other
        return
    there, needed = source.shape[0], len(wanted.channels)
    if there != needed:
        names = ", ".join(dict.fromkeys(wanted.channels))
        yield FileFault(
            files[0],
            f"has {counted(there, 'channel')}; {wanted.by} takes {needed} ({names})",
            "save the channels that the training images had",
        )
        return
    machine = bytes_of_machine()
    if machine and memory > machine:
        yield FileFault(
            files[0],
            f"needs {bytes_text(memory)} of memory for a row of tiles, {sizes_text(source.shape)} "
            f"values; this machine has {bytes_text(machine)}",
            "cut it into parts, or use a larger machine",
        )
