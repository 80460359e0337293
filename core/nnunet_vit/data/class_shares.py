"""How many of the training cases' pixels each class has."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nnunet_vit.data.dataset import class_names, has_regions
from nnunet_vit.data.labels import labels_of
from nnunet_vit.files.json_file import JsonMapping

BACKGROUND = "background"


def class_shares(folder: Path, cases: Sequence[str], description: JsonMapping) -> dict[str, float]:
    """Return the share of the pixels that each class or region has, background first.

    Pixels to ignore do not count. Regions may overlap, and have no background.

    Args:
        folder: of the preprocessed data.
        cases: to look at.
        description: dataset.json.
    """
    known = labels_of(description)
    counts = _counts(folder, cases)
    counts.pop(known.ignore, None)
    total = max(1, sum(counts.values()))
    numbers = {BACKGROUND: (0,), **known.classes}
    return {
        name: sum(counts.get(number, 0) for number in numbers[name]) / total
        for name in channel_names(description)
    }


def _counts(folder: Path, cases: Sequence[str]) -> dict[int | None, int]:
    """Return how many pixels have each number; what nnU-Net has cut away is background."""
    from nnunetv2.training.dataloading.nnunet_dataset import infer_dataset_class

    data = infer_dataset_class(str(folder))(str(folder), list(cases))
    counts: dict[int | None, int] = {}
    for case in cases:
        _, segmentation, *_ = data.load_case(case)
        numbers, found = np.unique(np.asarray(segmentation[0]), return_counts=True)
        for number, count in zip(numbers.tolist(), found.tolist(), strict=True):
            place = max(0, int(number))
            counts[place] = counts.get(place, 0) + count
    return counts


def channel_names(description: JsonMapping) -> list[str]:
    """Return what the channels of the logits stand for: background and classes, or regions."""
    names = class_names(dict(description))
    return names if has_regions(dict(description)) else [BACKGROUND, *names]
