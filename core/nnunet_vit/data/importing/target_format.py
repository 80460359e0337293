"""The format that a dataset is written in: one that loses nothing of what the files hold."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from nnunet_vit.data.faults import Fault
from nnunet_vit.data.importing.case_facts import CaseFacts, FileFacts
from nnunet_vit.data.importing.reading.placed_pixels import PLACED
from nnunet_vit.data.naming import SHOWN, ending_of
from nnunet_vit.errors import counted, shortened

PICTURE, NIFTI, EXACT = ".png", (".nii", ".nii.gz"), ".nrrd"
SHALLOW = ("uint8",)  # what a PNG holds in colours as nnU-Net reads it
DEEP = ("uint8", "uint16")
RGB = 3


@dataclass(frozen=True)
class Target:
    """How a dataset is written.

    Attributes:
        ending: of its images and masks.
        whole: whether all channels of a case are one picture, instead of a file each.
        reader: of nnU-Net, where the ending does not say it.
        placed: whether images have a spacing.
    """

    ending: str
    whole: bool
    reader: str
    placed: bool

    def as_text(self) -> str:
        """Return it in words."""
        if self.placed:
            return f"*{self.ending} with the spacing, origin and direction of the images"
        return f"*{self.ending}, {'one picture per case' if self.whole else 'a file per channel'}"


def target_of(cases: Sequence[CaseFacts]) -> Target:
    """Return the format for images that fit each other."""
    images = [image for case in cases for image in case.images]
    if images[0].placement is not None:
        endings = {ending_of(image.file.name).lower() for image in images}
        if endings <= set(NIFTI):
            return Target(NIFTI[-1], False, "", True)
        own = endings.pop() if len(endings) == 1 else EXACT  # doubles as text: nothing is rounded
        return Target(own if own in PLACED else EXACT, False, "", True)
    kinds = {image.kind for image in images}
    single = all(len(case.images) == 1 for case in cases)
    if kinds <= set(SHALLOW) and single and cases[0].channels in (1, RGB):
        return Target(PICTURE, True, "", False)
    if kinds <= set(DEEP):
        return Target(PICTURE, False, "", False)
    return Target(".tif", False, "NaturalImage2DIO", False)


def misfits(cases: Sequence[CaseFacts]) -> list[Fault]:
    """Return the images that are unlike the others: spacing, channels, types of values."""
    faults = _unlike(
        cases,
        lambda case: "a spacing" if case.images[0].placement is not None else "no spacing",
        "all images with a spacing, or all without: two datasets otherwise.",
    )
    faults += _unlike(
        cases,
        lambda case: counted(case.channels, "channel"),
        "the same channels in every case: save grey images as colours, or colours as grey.",
    )
    pictures = [case for case in cases if case.images[0].placement is None]
    faults += _unlike(
        pictures,
        lambda case: f"values of type {_kinds(case.images)}",
        "one type for all: the range of 16 bits is not that of 8.",
    )
    return faults


def _kinds(images: Iterable[FileFacts]) -> str:
    return ", ".join(dict.fromkeys(image.kind for image in images))


def _unlike(cases: Sequence[CaseFacts], look: Callable[[CaseFacts], str], fix: str) -> list[Fault]:
    """Return a fault per look that is not the commonest."""
    looks = [look(case) for case in cases]
    if len(set(looks)) < 2:
        return []
    (usual, most), *others = Counter(looks).most_common()
    names: dict[str, list[str]] = {}
    for case, seen in zip(cases, looks, strict=True):
        names.setdefault(seen, []).append(case.images[0].file.name)
    return [
        Fault(
            f"{counted(most, 'case')} with {usual}, {number} with {other}: "
            f"{shortened(names[other], SHOWN)}.",
            fix,
        )
        for other, number in others
    ]


def channel_names(cases: Sequence[CaseFacts], target: Target) -> tuple[str, ...]:
    """Return names of the channels where nobody says any; nnU-Net normalizes by them."""
    number = cases[0].channels
    modalities = {image.modality for case in cases for image in case.images}
    if target.whole and number == RGB:
        return ("rgb_to_0_1",) * RGB
    if len(modalities) == 1 and number == 1 and (own := modalities.pop()):
        return (own,)
    if number == RGB and not target.placed:
        return ("red", "green", "blue")
    return ("grey",) if number == 1 else tuple(f"channel_{place}" for place in range(number))
