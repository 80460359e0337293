"""The one reader of masks, for training, evaluation and overlays: what nnU-Net would hide is seen.

nnU-Net compares each pixel with each label: 255 in place of 1 is a wrong Dice, and three colour
channels are three masks, without a word.
"""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnunet_vit.data.checks.reading import PICTURES, Raster, bands_of, read
from nnunet_vit.data.file_faults import FileFault
from nnunet_vit.errors import shortened
from nnunet_vit.files.integrity import is_jpeg

if TYPE_CHECKING:
    from nnunetv2.imageio.base_reader_writer import BaseReaderWriter

SHOWN = 4  # of a list of values
UNKNOWN = 999  # nnU-Net's spacing of slices where a file has no third axis
PICTURE = 12  # so many different values are no mask's


@dataclass(frozen=True)
class Labels:
    """The numbers that a mask may hold.

    Attributes:
        allowed: sorted, with the one to ignore.
        classes: names of the foreground classes or regions, by number or numbers.
        ignore: the number of the pixels that do not count, or None.
    """

    allowed: tuple[int, ...]
    classes: dict[str, tuple[int, ...]]
    ignore: int | None

    @property
    def foreground(self) -> tuple[int, ...]:
        """The allowed numbers without background and the one to ignore."""
        return tuple(value for value in self.allowed if value not in (0, self.ignore))


@dataclass(frozen=True)
class MaskFacts:
    """What a look at a sound mask told.

    Attributes:
        file: the mask.
        shape: (Z, Y, X); Z is 1 for a picture.
        spacing: (Z, Y, X), or None where nothing says it.
        placement: origin and direction, empty where the format has none.
        present: the labels that it holds, sorted.
    """

    file: Path
    shape: tuple[int, ...]
    spacing: tuple[float, ...] | None
    placement: tuple[float, ...]
    present: tuple[int, ...] = ()


def labels_of(description: Mapping[str, Any]) -> Labels:
    """Return the numbers that dataset.json gives its labels: classes, or regions of several.

    Raises:
        TypeError, ValueError: a label is no number.
    """
    numbers = {
        name: tuple(int(n) for n in (label if isinstance(label, list | tuple) else [label]))
        for name, label in description["labels"].items()
        if label is not None  # nnU-Net: no label to ignore
    }
    ignore = numbers["ignore"][0] if "ignore" in numbers else None
    classes = {n: v for n, v in numbers.items() if n not in {"background", "ignore"}}
    allowed = sorted({number for label in numbers.values() for number in label})
    return Labels(tuple(allowed), classes, ignore)


def look_at_mask(
    file: Path, reader: "type[BaseReaderWriter]", ending: str, labels: Labels
) -> MaskFacts | FileFault:
    """Return shape and spacing of a mask, or the first thing that makes it none.

    Args:
        file: the mask.
        reader: nnU-Net's, as `reader_for` returns it.
        ending: file_ending of dataset.json.
        labels: what it may hold.
    """
    import numpy as np

    raster = read_mask(file, reader, ending)
    if isinstance(raster, FileFault):
        return raster
    problem, remedy = _wrong_values(raster.values, labels)
    if problem:
        return FileFault(file, problem, _scaled(file, raster.values) or remedy)
    present = tuple(int(value) for value in np.unique(raster.values))
    return MaskFacts(file, raster.values.shape[1:], raster.spacing, raster.placement, present)


def read_mask(file: Path, reader: "type[BaseReaderWriter]", ending: str) -> Raster | FileFault:
    """Return a mask of one channel, whatever its values, or why it is none."""
    raster = read(file, reader, ending, "mask")
    if isinstance(raster, FileFault):
        return raster
    if is_jpeg(file):
        return FileFault(
            file,
            f"is a JPEG named {ending}, whose compression changes labels",
            f"save the mask again, without loss, as {ending}",
        )
    if len(raster.values) != 1:
        return FileFault(file, *_too_many_channels(file, raster, reader.__name__))
    return raster


def lies_elsewhere(
    one: Any,  # noqa: ANN401
    other: Any,  # noqa: ANN401
    relative: float,
    absolute: float,
) -> bool:
    """Tell whether masks, or an image and its mask, differ in origin or direction.

    Args:
        one: has a `placement`; formats without one lie nowhere else.
        other: likewise.
        relative: difference that is none.
        absolute: difference that is none.
    """
    import numpy as np

    if len(one.placement) != len(other.placement):
        return False
    return not np.allclose(one.placement, other.placement, rtol=relative, atol=absolute)


def compare(mask: MaskFacts, other: Any, name: str, tolerance: float) -> FileFault | None:  # noqa: ANN401
    """Return the fault of a mask that does not lie on the pixels of what it belongs to.

    Args:
        mask: to blame.
        other: has `shape` and `spacing` likewise: another mask, or the facts of an image.
        name: what the other is called in the message.
        tolerance: relative difference of spacings that is none.
    """
    import numpy as np

    if tuple(mask.shape) != tuple(other.shape):
        return FileFault(
            mask.file,
            f"is {size_text(mask.shape)}, {name} {size_text(other.shape)}",
            "both must have the same size; resize masks with nearest neighbour",
        )
    if mask.spacing is None or other.spacing is None:
        return None
    flat = mask.shape[0] == 1 and UNKNOWN in (mask.spacing[0], other.spacing[0])
    compared = slice(1 if flat else 0, None)
    if not np.allclose(mask.spacing[compared], other.spacing[compared], rtol=tolerance):
        return FileFault(
            mask.file,
            f"has spacing {spacing_text(mask.spacing)}, {name} {spacing_text(other.spacing)}",
            "copy the spacing of the one that is right",
        )
    return None


def size_text(shape: tuple[int, ...]) -> str:
    """Return a (Z, Y, X) shape as people read it: rows x columns, and slices first if several."""
    sizes = shape[1:] if shape[0] == 1 else shape
    return " x ".join(map(str, sizes)) + (" pixels" if shape[0] == 1 else " voxels")


def spacing_text(spacing: tuple[float, ...]) -> str:
    """Return a (Z, Y, X) spacing as text."""
    return " x ".join(f"{value:g}" for value in spacing)


def _too_many_channels(file: Path, raster: Raster, reader: str) -> tuple[str, str]:
    import numpy as np

    count = len(raster.values)
    if reader != PICTURES:
        return f"has {count} volumes, a mask has one", "save each in a file of its own"
    if bands_of(file) == "P":
        return (
            f"is a palette picture, which nnU-Net reads as {count} colour channels; a mask has one",
            "save its indices as grey, with Pillow: "
            "Image.fromarray(np.array(Image.open(FILE))).save(FILE)",
        )
    colours = f"has {count} colour channels, a mask has one"
    if np.array_equal(raster.values[0], raster.values[1]):
        return colours, "its colours are equal: save one of them as grey"
    return colours, "save a grey picture with the number of its class in each pixel"


def _wrong_values(values: Any, labels: Labels) -> tuple[str, str]:  # noqa: ANN401 - an array
    import numpy as np

    if not values.size:
        return "has no pixels", ""
    found = np.unique(values)
    if not np.isfinite(found).all():
        return "holds values that are not finite (NaN)", "write a label in their place"
    unknown = [value for value in found.tolist() if value not in labels.allowed]
    if not unknown:
        return "", ""
    known = shortened(map(str, labels.allowed), 2 * SHOWN)
    of_json = f"dataset.json knows {known}"
    fractions = [value for value in unknown if value != int(value)]
    if fractions:
        return (
            f"holds {_listed(fractions)}, which are no whole numbers; {of_json}",
            "threshold probabilities; resize masks with nearest neighbour; save whole numbers",
        )
    return f"holds {_listed(unknown)}; {of_json}", _likely_cause(found.tolist(), unknown, labels)


def _scaled(file: Path, values: Any) -> str:  # noqa: ANN401 - an array
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
                "round the values, and save them as whole numbers without a scale"
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
