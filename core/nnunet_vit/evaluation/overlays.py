"""Pictures of a folder of predictions, each beside its image and its reference."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit.data.case_files import cases_of
from nnunet_vit.data.checks.masks import read_mask
from nnunet_vit.data.checks.raster_reading import Raster, read, reader_for
from nnunet_vit.data.faults import refuse
from nnunet_vit.data.file_faults import FileFault, grouped
from nnunet_vit.data.labels import Labels
from nnunet_vit.errors import ConfigError, counted
from nnunet_vit.evaluation.evaluate import Scores
from nnunet_vit.evaluation.mask_pairs import Pair, Task
from nnunet_vit.files.writable import check_writable
from nnunet_vit.quantities import shape_text
from nnunet_vit.report.overlay import Legend, picture_of
from nnunet_vit.report.progress import Progress

if TYPE_CHECKING:
    from nnunetv2.imageio.base_reader_writer import BaseReaderWriter

    from nnunet_vit.files.array_type import Array

    Readers = tuple[type[BaseReaderWriter], type[BaseReaderWriter]]  # of images, of masks

THIN = 1.5  # times the spacing of the other axes: slices are cut across such an axis


def check_places(
    overlays: Path, images: Path | None, predictions: Path, *, references: Path
) -> None:
    """Refuse a folder for pictures that would be taken for images or masks later.

    Raises:
        ConfigError: it is one of the others, a file, or there are no images.
        MachineError: it cannot be written.
    """
    if images is None:
        raise ConfigError("--overlays needs the pictures.", fix="--images FOLDER")
    if not images.is_dir():
        raise ConfigError(f"--images {images} is not a folder.", fix="the folder of images.")
    if overlays.exists() and not overlays.is_dir():
        raise ConfigError(f"--overlays {overlays} is a file, a folder is needed.")
    check_writable(overlays, f"--overlays {overlays}")
    others = {"images": images, "predictions": predictions, "references": references}
    for name, folder in others.items():
        if overlays.resolve() == folder.resolve():
            raise ConfigError(
                f"--overlays {overlays} is the folder of the {name}; pictures among them would be "
                "taken for more of them.",
                fix="another folder.",
            )


def write_overlays(scores: Scores, images: Path, folder: Path, *, progress: Progress) -> None:
    """Write a picture per case: image, reference, prediction and errors; of volumes one slice.

    Args:
        scores: of the masks; they have been checked.
        images: files CASE_0000.ending; the first one of a case is shown.
        folder: where CASE_dice0.87.png goes.
        progress: where to show what happens.

    Raises:
        DataError: cases without an image that fits; all others are drawn.
    """
    from skimage import io  # type: ignore[attr-defined]

    assert scores.task is not None
    ending, legend = scores.task.ending, legend_of(scores.task.labels)
    cases = cases_of(images, ending)
    readers = readers_of(scores.task, scores.pairs, [files[0] for files in cases.values()])
    folder.mkdir(parents=True, exist_ok=True)
    faults: list[FileFault] = []
    progress.start_cases(f"Drawing overlays in {folder}", len(scores.pairs))
    for pair in scores.pairs:
        case = pair.prediction.name.removesuffix(ending)
        image = cases.get(case, [images / f"{case}_0000{ending}"])[0]
        views = views_of(image, pair, readers, ending=ending, labels=scores.task.labels)
        if isinstance(views, FileFault):
            faults.append(views)
        else:
            picture = picture_of(
                views.image, views.reference, views.prediction, legend=legend, place=views.place
            )
            name = f"{case}_dice{scores.per_case[pair.prediction.name]:.2f}.png"
            io.imsave(folder / name, picture, check_contrast=False)
        progress.case(case)
    progress.close()
    drawn = len(scores.pairs) - len(faults)
    progress.log(f"{counted(drawn, 'overlay')} in {folder}: image, reference, prediction, errors.")
    refuse("--overlays", grouped(faults))


def legend_of(labels: Labels) -> Legend:
    """Return the names of the labels for pictures; a label of several regions has all names."""
    names = {
        number: " + ".join(name for name, numbers in labels.classes.items() if number in numbers)
        for number in labels.foreground
    }
    return Legend({number: name or str(number) for number, name in names.items()}, labels.ignore)


@dataclass(frozen=True)
class Views:
    """A plane of a case.

    Attributes:
        image: (Y, X), or (Y, X, C) with three channels or four.
        reference: (Y, X).
        prediction: likewise.
        place: which slice it is; empty for pictures.
        plane: axis and index of the slice.
    """

    image: "Array"
    reference: "Array"
    prediction: "Array"
    place: str
    plane: tuple[int, int]


def readers_of(task: Task, pairs: Sequence[Pair], images: Sequence[Path]) -> "Readers":
    """Return nnU-Net's readers of images and of their masks."""
    masks = [pair.reference for pair in pairs]
    of_images = reader_for(task.description, images, "image")
    return of_images, reader_for(task.description, masks, "mask")


def views_of(
    image: Path, pair: Pair, readers: "Readers", *, ending: str, labels: Labels
) -> Views | FileFault:
    """Return the plane of a case to show, or why there is none.

    Args:
        image: the file of the case's first channel.
        pair: of masks that have been checked.
        readers: nnU-Net's, of images and of masks.
        ending: of all files.
        labels: of the masks.
    """
    of_image, of_masks = readers
    if not image.exists():
        return FileFault(
            image,
            "is missing for its mask",
            "give --images the folder of the images that were predicted",
        )
    shown = read(image, of_image, ending, "image")
    masks = [read_mask(file, of_masks, ending) for file in (pair.reference, pair.prediction)]
    for found in (shown, *masks):
        if isinstance(found, FileFault):
            return found
    assert isinstance(shown, Raster)
    reference, prediction = (mask.values[0] for mask in masks if isinstance(mask, Raster))
    if shown.values.shape[1:] != reference.shape:
        sizes = shape_text(shown.values.shape[1:]), shape_text(reference.shape)
        return FileFault(
            image,
            f"is {sizes[0]}, its masks {sizes[1]}",
            "give --images the folder of the images that were predicted",
        )
    axis, index, place = chosen_slice(reference, prediction, shown.spacing, ignored=labels.ignore)
    plane = shown.values.take(index, axis=axis + 1)
    return Views(
        plane.transpose(1, 2, 0) if len(plane) in (3, 4) else plane[0],
        reference.take(index, axis=axis).astype(int),
        prediction.take(index, axis=axis).astype(int),
        place,
        (axis, index),
    )


def chosen_slice(
    reference: "Array",
    prediction: "Array",
    spacing: tuple[float, ...] | None,
    *,
    ignored: int | None,
) -> tuple[int, int, str]:
    """Return axis, index and words for the slice with most errors, or with most foreground.

    Slices are cut across the first axis, or across the one along which voxels are clearly longest.

    Shapes: masks (Z, Y, X).
    """
    import numpy as np

    sizes = reference.shape
    axis = 0
    if sizes[0] > 1 and spacing is not None:
        longest = int(np.argmax(spacing))
        others = [value for number, value in enumerate(spacing) if number != longest]
        axis = longest if spacing[longest] > THIN * max(others) else 0
    if sizes[axis] == 1:
        return axis, 0, ""
    across = tuple(number for number in range(3) if number != axis)
    wrong = (reference != prediction) & (reference != ignored)
    for weights in (wrong, reference != 0):
        counts = weights.sum(axis=across)
        if counts.any():
            break
    index = int(np.argmax(counts)) if counts.any() else sizes[axis] // 2
    return axis, index, f"slice {index + 1} of {sizes[axis]}"
