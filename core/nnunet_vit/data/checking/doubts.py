"""What nothing forbids and a person should look at: one warning each, with the cases."""

from collections.abc import Iterator

from nnunet_vit.data.case_files import foreign_files
from nnunet_vit.data.checking.examining import Examined
from nnunet_vit.data.checking.fold_classes import lacking_in_folds
from nnunet_vit.data.checking.same_images import doubles
from nnunet_vit.data.checks.masks import lies_elsewhere
from nnunet_vit.data.dataset import Dataset
from nnunet_vit.data.faults import Fault
from nnunet_vit.data.labels import labels_of
from nnunet_vit.data.naming import counted_endings, other_images
from nnunet_vit.errors import counted, shortened

AS_NNUNET = {"relative": 1e-5, "absolute": 1e-8}  # what its own check takes for no difference


def doubts_of(examined: Examined) -> Iterator[Fault]:
    """Yield each doubt about a dataset."""
    yield from _left_out(examined.dataset)
    yield from _apart(examined)
    yield from _classes(examined)
    yield from lacking_in_folds(examined)
    yield from _empty(examined)
    yield from _constant(examined)
    yield from _hidden(examined)
    yield from _unsaid(examined)
    yield from doubles(examined)


def _left_out(dataset: Dataset) -> Iterator[Fault]:
    """Yield a line per folder with files that look like cases and are none."""
    if "dataset" in dataset.description:
        return
    assert dataset.raw is not None
    ending = dataset.description["file_ending"]
    for folder in (dataset.raw / "imagesTr", dataset.raw / "labelsTr"):
        if not folder.is_dir():
            continue
        of_others = [file.name for file in foreign_files(folder, ending)]
        if of_others:
            yield Fault(
                f"Left out of {folder.name}: {shortened(of_others)}, files of other programs."
            )
        others = other_images(folder, ending)
        if others:
            yield Fault(
                f"Left out of {folder.name}: {counted_endings(others)}; file_ending is {ending}."
            )


def _apart(examined: Examined) -> Iterator[Fault]:
    apart = [
        case.label.file.name
        for case in examined.seen.values()
        if case.label and case.image and lies_elsewhere(case.image, case.label, **AS_NNUNET)
    ]
    if apart:
        yield Fault(
            f"{shortened(apart)}: the mask's origin or direction is not its image's; are the two "
            "aligned?"
        )


def _classes(examined: Examined) -> Iterator[Fault]:
    """Yield the classes that are nowhere, where all label files are sound."""
    labels = [case.label for case in examined.seen.values()]
    present = {value for label in labels if label for value in label.present}
    classes = labels_of(examined.dataset.description).classes
    never = [name for name, values in classes.items() if not present & set(values)]
    if never and present - {0} and all(labels):
        yield Fault(f"No label file holds {', '.join(never)}: nothing can be learned of it.")


def _empty(examined: Examined) -> Iterator[Fault]:
    foreground = set(labels_of(examined.dataset.description).foreground)
    labels = {name: case.label for name, case in examined.seen.items()}
    empty = [n for n, label in labels.items() if label and not foreground & set(label.present)]
    if empty and len(empty) < len(labels):
        yield Fault(
            f"{counted(len(empty), 'case')} without foreground: {shortened(empty)}.",
            "right where nothing is to be found in them; else their labels are missing.",
        )


def _constant(examined: Examined) -> Iterator[Fault]:
    names = []
    for name, case in examined.seen.items():
        figures = case.image.figures if case.image else None
        if figures is None or not figures.constant:
            continue
        several, constant = len(figures.lows), figures.constant
        which = f" (channel {', '.join(map(str, constant))})" if len(constant) < several else ""
        names.append(f"{name}{which}")
    if names:
        yield Fault(
            f"{counted(len(names), 'image')} with one value everywhere: {shortened(names)}.",
            "nothing can be learned of it: is it the right file?",
        )


def _hidden(examined: Examined) -> Iterator[Fault]:
    names = [
        name
        for name, case in examined.seen.items()
        if case.image and case.image.figures and case.image.figures.hidden
    ]
    if names:
        yield Fault(
            f"{counted(len(names), 'image')} with NaN or inf, which ITK reads as 0: "
            f"{shortened(names)}.",
            "right where they mark what lies outside; else write numbers there.",
        )


def _unsaid(examined: Examined) -> Iterator[Fault]:
    names = [
        name
        for name, case in examined.seen.items()
        if case.image
        and (case.image.spacing is None or (case.image.figures and case.image.figures.unsaid))
    ]
    if names:
        yield Fault(
            f"{counted(len(names), 'image')} whose spacing nothing says, and 1 mm is taken: "
            f"{shortened(names)}.",
            "write the spacing of its voxels into each file, or beside a stack of TIFF as JSON.",
        )
