"""What is wrong with a raw dataset, and what is doubtful, of all its cases together."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nnunet_vit.data.checking.doubts import doubts_of
from nnunet_vit.data.checking.examining import TESTS, Examined
from nnunet_vit.data.checking.same_images import clashes, shared_with_tests
from nnunet_vit.data.checking.storage import mixed_storage
from nnunet_vit.data.checks.images import ImageFacts
from nnunet_vit.data.checks.plane import Plane, plane_fault, plane_of
from nnunet_vit.data.checks.sampling import Target, size_fault
from nnunet_vit.data.dataset import Dataset, channel_names_in_order
from nnunet_vit.data.faults import Fault
from nnunet_vit.data.file_faults import FileFault, grouped
from nnunet_vit.data.labels import labels_of

UNKNOWN_SPACING = (1.0, 1.0, 1.0)  # as nnU-Net takes it
SMALL = 16  # pixels: the edge of most ViTs' patches


@dataclass(frozen=True)
class Findings:
    """What a check of a dataset found.

    Attributes:
        files: what is wrong with single files.
        errors: what else is wrong; with any of both nothing can be trained.
        warnings: what a person should look at.
    """

    files: tuple[FileFault, ...]
    errors: tuple[Fault, ...]
    warnings: tuple[Fault, ...]

    @property
    def all_errors(self) -> list[Fault]:
        """What is wrong, files with the same fault together."""
        return [*self.errors, *grouped(self.files)]


def findings_of(examined: Examined, vit_patch: int | None = None) -> Findings:
    """Return all that is found.

    Args:
        examined: the looks at all cases.
        vit_patch: edge of the ViT's patches in pixels; None: it is not known yet.
    """
    dataset, seen = examined.dataset, examined.seen.values()
    assert dataset.raw is not None
    files = [fault for case in seen for fault in case.faults]
    mixed, doubted = mixed_storage(examined)
    errors = [*clashes(dataset, examined.cases), *shared_with_tests(examined), *mixed]
    warnings = [*doubts_of(examined), *doubted, *_tests(examined)]
    if not files:  # of bad files nothing is known that could be compared
        images = [case.image for case in seen if case.image]
        errors += _without_foreground(examined)
        plane = plane_of([image.shape for image in images], list(_spacings(images)))
        files += _sizes(dataset, images, plane)
        thin = plane_fault(dataset.name, plane.sizes, vit_patch or SMALL, read=plane.read)
        (warnings if vit_patch is None else errors).extend([thin] if thin else [])
    return Findings(tuple(files), tuple(errors), tuple(warnings))


def _spacings(images: Iterable[ImageFacts]) -> Iterator[tuple[float, ...]]:
    for image in images:
        yield image.spacing or UNKNOWN_SPACING


def _sizes(dataset: Dataset, images: Sequence[ImageFacts], plane: Plane) -> Iterator[FileFault]:
    """Yield the images that resampling would empty or burst."""
    transpose = (plane.slices, *plane.axes)
    spacing = tuple(plane.spacing[axis] for axis in transpose)
    channels = len(channel_names_in_order(dataset.description))
    # preprocessing holds no logits: what they need is looked at before a prediction
    target = Target(spacing[1:], transpose, spacing, channels, outputs=0)
    for image, own in zip(images, _spacings(images), strict=True):
        problem, remedy = size_fault(image.shape, own, target)
        if problem:
            yield FileFault(image.files[0], problem, remedy)


def _without_foreground(examined: Examined) -> list[Fault]:
    labels = labels_of(examined.dataset.description)
    present = {
        value for seen in examined.seen.values() if seen.label for value in seen.label.present
    }
    if present & set(labels.foreground):
        return []
    classes = ", ".join(
        f"{name} ({', '.join(map(str, values))})" for name, values in labels.classes.items()
    )
    count = len(examined.cases)
    return [
        Fault(
            f"{examined.dataset.raw}: no foreground pixel in any of {count} label files.",
            f"are they the right files? The classes are {classes}.",
        )
    ]


def _tests(examined: Examined) -> list[Fault]:
    """Return what is wrong with images that are not trained on."""
    faults = [fault for seen in examined.tests.values() for fault in seen.faults]
    return grouped(FileFault(Path(TESTS, f.file.name), f.problem, f.remedy) for f in faults)
