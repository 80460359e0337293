"""Images that are there twice, and cases whose names some disks take for one."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from nnunet_vit.data.checking.examining import TESTS, Examined
from nnunet_vit.data.checks.case_look import Seen
from nnunet_vit.data.dataset import Dataset
from nnunet_vit.data.faults import Fault
from nnunet_vit.errors import counted, shortened

SHOWN = 5  # of a list of names


def doubles(examined: Examined) -> list[Fault]:
    """Return which training images are equal, pixel by pixel."""
    groups = [names for names in _by_content(examined.seen).values() if len(names) > 1]
    if not groups:
        return []
    return [
        Fault(
            f"{counted(len(groups), 'image')} under several names, pixel by pixel: "
            f"{shortened(map(' = '.join, groups), SHOWN)}.",
            "keep one of each, or keep them in one fold: a validation that has seen its images "
            "says too much.",
        )
    ]


def shared_with_tests(examined: Examined) -> list[Fault]:
    """Return which images to predict are training images too."""
    training, tests = _by_content(examined.seen), _by_content(examined.tests)
    pairs = [
        f"{TESTS}/{test} = imagesTr/{training[content][0]}"
        for content, names in tests.items()
        if content in training
        for test in names
    ]
    if not pairs:
        return []
    return [
        Fault(
            f"{examined.dataset.raw}: {counted(len(pairs), 'test image')} also among the training "
            f"images, pixel by pixel: {shortened(pairs, SHOWN)}.",
            "take them out of one of the two.",
        )
    ]


def clashes(dataset: Dataset, cases: Iterable[str]) -> list[Fault]:
    """Return which cases have one name on disks that know no capital letters or accents apart."""
    groups: dict[str, list[str]] = defaultdict(list)
    for name in cases:
        groups[unicodedata.normalize("NFC", name).casefold()].append(name)
    same = [" and ".join(names) for names in groups.values() if len(names) > 1]
    if not same:
        return []
    return [
        Fault(
            f"{dataset.raw}: names that are one on many disks: {shortened(same, SHOWN)}.",
            "rename them, images and labels: a copy or the preprocessed data would lose one.",
        )
    ]


def _by_content(seen: Mapping[str, Seen]) -> dict[str, list[str]]:
    """Return the cases of each content; images of one colour are all alike, and no doubles."""
    groups: dict[str, list[str]] = defaultdict(list)
    for name, content in _contents(seen):
        groups[content].append(name)
    return groups


def _contents(seen: Mapping[str, Seen]) -> Iterator[tuple[str, str]]:
    for name, case in seen.items():
        figures = case.image.figures if case.image else None
        if figures is not None and len(figures.constant) < len(figures.lows):
            yield name, figures.content
