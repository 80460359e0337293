"""One look at every image and label of a raw dataset, before nnU-Net plans with them."""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path

from nnunet_vit.data.case_files import Case, foreign_files, training_cases
from nnunet_vit.data.checks.case_look import Look, Seen, look_at
from nnunet_vit.data.checks.images import DESCRIBED, ImageFacts, Wanted
from nnunet_vit.data.checks.masks import lies_elsewhere
from nnunet_vit.data.checks.plane import Plane, plane_fault, plane_of
from nnunet_vit.data.checks.raster_reading import in_threads, reader_for
from nnunet_vit.data.checks.sampling import Target, size_fault
from nnunet_vit.data.dataset import Dataset, channel_names_in_order
from nnunet_vit.data.faults import Fault, refuse
from nnunet_vit.data.file_faults import FileFault, grouped
from nnunet_vit.data.labels import Labels, labels_of
from nnunet_vit.data.naming import counted_endings, listing_faults, other_images
from nnunet_vit.errors import shortened
from nnunet_vit.files.json_file import JsonMapping
from nnunet_vit.report.progress import Progress

AS_NNUNET = {"relative": 1e-5, "absolute": 1e-8}  # what its own check takes for no difference
UNKNOWN_SPACING = (1.0, 1.0, 1.0)  # as nnU-Net takes it


def check_training_files(dataset: Dataset, vit_patch: int, progress: Progress) -> None:
    """Read every image and label of a raw dataset once and refuse all bad files together.

    Args:
        dataset: with its raw folder.
        vit_patch: edge of the ViT's patches in pixels; a smaller plane is refused.
        progress: where to show the cases, and what is left out.

    Raises:
        DataError: files that are missing, cannot be read, or do not fit dataset.json or each
            other; no foreground anywhere; a plane smaller than one patch.
    """
    raw, description = dataset.raw, dataset.description
    assert raw is not None
    refuse(raw, listing_faults(raw, description) if "dataset" in description else ())
    for notice in _left_out(raw, description):
        progress.log(notice)
    cases = training_cases(raw, description)
    seen = _look_at_all(dataset, cases, progress)
    _refuse_files(raw, [fault for case in seen for fault in case.faults])
    apart = [
        case.label.file.name
        for case in seen
        if case.label and case.image and lies_elsewhere(case.image, case.label, **AS_NNUNET)
    ]
    if apart:
        progress.log(
            f"{shortened(apart)}: the mask's origin or direction is not its image's; are the two "
            "aligned?"
        )
    present = {value for case in seen if case.label for value in case.label.present}
    labels = labels_of(description)
    refuse(raw, _foreground_faults(raw, labels, present, files=len(cases)))
    _refuse_sizes(dataset, [case.image for case in seen if case.image], vit_patch)
    never = [name for name, values in labels.classes.items() if not present & set(values)]
    if never:
        progress.log(f"No label file holds {', '.join(never)}: nothing can be learned of it.")


def _look_at_all(dataset: Dataset, cases: Mapping[str, Case], progress: Progress) -> list[Seen]:
    files = [file for case in cases.values() for file in case.images]
    look = Look(
        reader=reader_for(dataset.description, files, "image"),
        ending=dataset.description["file_ending"],
        wanted=Wanted(
            tuple(channel_names_in_order(dataset.description)),
            tuple(dataset.normalization_schemes()),
            DESCRIBED,
        ),
        labels=labels_of(dataset.description),
        listed="dataset" in dataset.description,
    )
    progress.start_cases(f"Checking the files of {dataset.name}", len(cases))
    try:
        return in_threads(partial(_shown, progress, look.of(cases)), list(cases.items()))
    finally:
        progress.close()


def _shown(progress: Progress, look: Look, named: tuple[str, Case]) -> Seen:
    seen = look_at(look, *named)
    progress.case(named[0])
    return seen


def _refuse_files(raw: Path, faults: list[FileFault]) -> None:
    refuse(f"{raw} has {len({fault.file for fault in faults})} bad files", grouped(faults))


def _refuse_sizes(dataset: Dataset, images: list[ImageFacts], vit_patch: int) -> None:
    """Refuse sizes that resampling would empty or burst, and a plane below one patch."""
    assert dataset.raw is not None
    spacings = [image.spacing or UNKNOWN_SPACING for image in images]
    plane = plane_of([image.shape for image in images], spacings)
    target = _target(dataset, plane)
    faults = []
    for image, spacing in zip(images, spacings, strict=True):
        problem, remedy = size_fault(image.shape, spacing, target)
        if problem:
            faults.append(FileFault(image.files[0], problem, remedy))
    _refuse_files(dataset.raw, faults)
    thin = plane_fault(dataset.name, plane.sizes, vit_patch, read=plane.read)
    refuse(dataset.raw, [thin] if thin else ())


def _target(dataset: Dataset, plane: Plane) -> Target:
    transpose = (plane.slices, *plane.axes)
    spacing = tuple(plane.spacing[axis] for axis in transpose)
    channels = len(channel_names_in_order(dataset.description))
    # preprocessing holds no logits: what they need is looked at before a prediction
    return Target(spacing[1:], transpose, spacing, channels, outputs=0)


def _left_out(raw: Path, description: JsonMapping) -> Iterator[str]:
    """Yield a line per folder with files that look like cases and are none."""
    if "dataset" in description:
        return
    ending = description["file_ending"]
    for folder in (raw / "imagesTr", raw / "labelsTr"):
        of_others = [file.name for file in foreign_files(folder, ending)]
        if of_others:
            yield f"Left out of {folder.name}: {shortened(of_others)}, files of other programs."
        others = other_images(folder, ending)
        if others:
            yield f"Left out of {folder.name}: {counted_endings(others)}; file_ending is {ending}."


def _foreground_faults(
    raw: Path, labels: Labels, present: Iterable[int], *, files: int
) -> list[Fault]:
    if set(present) & set(labels.foreground):
        return []
    classes = ", ".join(
        f"{name} ({', '.join(map(str, values))})" for name, values in labels.classes.items()
    )
    return [
        Fault(
            f"{raw}: no foreground pixel in any of {files} label files.",
            f"are they the right files? The classes are {classes}.",
        )
    ]
