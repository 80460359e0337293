"""Values that are no labels of the dataset, each with its likely cause."""

import contextlib
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnunet_vit.data.labels import Labels
from nnunet_vit.errors import shortened

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array

SHOWN = 4  # of a list of values
BYTE = 255
PICTURE = 12  # so many different values are no mask's


def counted_values(values: "Array") -> dict[float, int]:
    """Return how often each value is there, the lowest first."""
    import numpy as np

    flat = values.ravel()
    if flat.size and flat.min() >= 0 and flat.max() <= BYTE:  # NaN is neither
        small = flat.astype(np.uint8)
        if (small == flat).all():  # counting is faster than sorting by far
            counts = np.bincount(small).tolist()
            return {float(value): count for value, count in enumerate(counts) if count}
    found, counts = np.unique(flat, return_counts=True)
    return dict(zip(found.tolist(), counts.tolist(), strict=True))


def wrong_values(found: list[float], labels: Labels) -> tuple[str, str]:
    """Return what is wrong with the values of a mask and the likely cause, or two empty texts.

    Args:
        found: the different values, sorted.
        labels: what it may hold.
    """
    if not found:
        return "has no pixels", ""
    if not all(map(math.isfinite, found)):
        return not_finite()
    unknown = [value for value in found if value not in labels.allowed]
    if not unknown:
        return "", ""
    known = shortened(map(str, labels.allowed), 2 * SHOWN)
    of_json = f"dataset.json knows {known}"
    fractions = [value for value in unknown if value != int(value)]
    if fractions:
        return (
            f"holds {_listed(fractions)}, which are not integers; {of_json}",
            "threshold probabilities; resize masks with nearest neighbour; save integers",
        )
    return f"holds {_listed(unknown)}; {of_json}", _likely_cause(found, unknown, labels)


def not_finite(replaced: int = 0) -> tuple[str, str]:
    """Return what is wrong with a mask of NaN and what to do.

    Args:
        replaced: how many of its values the reader has made 0; 0: none, they can be seen.
    """
    where = f", {replaced} of them, which ITK reads as 0" if replaced else ""
    return f"holds values that are not finite (NaN){where}", "write a label in their place"


def rescaled(file: Path, values: "Array") -> str:
    """Return what to do about fractions that come of a NIfTI's header, nothing about others."""
    import nibabel
    import numpy as np

    fractions = np.isfinite(values).all() and (values != values.round()).any()
    if not fractions or not file.name.lower().endswith((".nii", ".nii.gz")):
        return ""
    with contextlib.suppress(Exception):  # what SimpleITK reads and nibabel does not
        stored: Any = nibabel.load(file)
        slope, shift = float(stored.dataobj.slope), float(stored.dataobj.inter)
        if (slope, shift) != (1.0, 0.0):
            return (
                f"its header scales what is stored (scl_slope {slope:g}, scl_inter {shift:g}): "
                "round the values, and save them as integers without a scale"
            )
    return ""


def _listed(values: list[float]) -> str:
    if len(values) > PICTURE:
        return f"many values from {values[0]:g} to {values[-1]:g}"
    word = "the value" if len(values) == 1 else "the values"
    return f"{word} {shortened([f'{value:g}' for value in values], SHOWN)}"


def _likely_cause(found: list[float], unknown: list[float], labels: Labels) -> str:
    objects = [int(value) for value in found if value]
    classes = labels.foreground
    if len(unknown) > max(PICTURE, len(classes)):
        return (
            "is it a picture, or a mask that was saved as JPEG or resized smoothly? Save the "
            "labels without loss, resize with nearest neighbour"
        )
    if unknown[0] < 0:
        return _below_zero(found, labels)
    if len(objects) == len(classes) == len(unknown):  # a label that is right stays what it is
        pairs = ", ".join(f"{new} for {old}" for new, old in zip(classes, objects, strict=True))
        asked = "is {} the class {}" if len(classes) == 1 else "are {} the classes {}"
        question = asked.format(_joined(objects), _joined(classes))
        return f"{question}? Then write {pairs}"
    if unknown == [255]:
        return _ignored(labels)
    return "write the numbers of the labels, or name the missing classes in dataset.json"


def _below_zero(found: list[float], labels: Labels) -> str:
    """Return what to do about negative values: which of them is the background is not guessed."""
    shift = -int(found[0])
    shifted = {value + shift for value in found} <= set(labels.allowed)
    asked = f"; or are all numbers {shift} too low? Then add {shift} to each" if shifted else ""
    return f"labels begin at 0, the background: write 0 or the number of a class there{asked}"


def _ignored(labels: Labels) -> str:
    number, named = labels.ignore, ""
    if number is None:  # nnU-Net wants the highest label for it
        number = max(labels.allowed) + 1
        named = f'add "ignore": {number} to the labels of dataset.json and '
    return (
        f"is 255 to be ignored? Then {named}write {number} for 255; else write the number of its "
        "class"
    )


def _joined(numbers: "list[int] | tuple[int, ...]") -> str:
    return " and ".join([", ".join(map(str, numbers[:-1])), str(numbers[-1])]).removeprefix(" and ")
