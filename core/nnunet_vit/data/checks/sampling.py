"""The size that an image has after nnU-Net's resampling, looked at before memory is asked for it.

A spacing in another unit (millimetres or micrometres) makes it empty, or larger than any machine.
"""

from dataclasses import dataclass

from nnunet_vit.files.json_file import JsonMapping
from nnunet_vit.files.machine_memory import bytes_of_machine
from nnunet_vit.quantities import bytes_text, sizes_text

UNITS = 100  # no dataset's spacings differ by so much in the plane; units do
HALF, SINGLE = 2, 4  # bytes per number
ASKED_FROM = 2**28  # bytes; less is there, and asking the system takes longer than the rest


@dataclass(frozen=True)
class Target:
    """How a configuration of the plans resamples.

    Attributes:
        spacing: of the axes that are resampled, after the transposition; two for 2D.
        transpose: nnU-Net's transpose_forward.
        training: median spacing of the training images, after the transposition; 0: not known.
        channels: of the images.
        outputs: of the network.
    """

    spacing: tuple[float, ...]
    transpose: tuple[int, ...]
    training: tuple[float, ...]
    channels: int
    outputs: int


def target_of(plans: JsonMapping, spacing: "list[float]", channels: int, *, outputs: int) -> Target:
    """Return the target of a configuration with that spacing."""
    axes = len(plans["transpose_forward"])
    known = plans.get("original_median_spacing_after_transp")
    usual = known if isinstance(known, list) and len(known) == axes else [0] * axes
    if not all(isinstance(value, int | float) for value in usual):
        usual = [0] * axes
    return Target(
        tuple(map(float, spacing)),
        tuple(plans["transpose_forward"]),
        tuple(map(float, usual)),
        channels,
        outputs,
    )


def size_fault(
    shape: tuple[int, ...], spacing: tuple[float, ...], target: Target
) -> tuple[str, str]:
    """Return what is wrong with an image's size after resampling and what to do; or nothing.

    Args:
        shape: (Z, Y, X) as read.
        spacing: likewise.
        target: of the configuration.
    """
    if not all(value > 0 and value < float("inf") for value in spacing):
        return f"has spacing {sizes_text(spacing)}", "write the spacing of its voxels into the file"
    plane = len(target.spacing)
    own = tuple(spacing[axis] for axis in target.transpose)[-plane:]
    typical = target.training[-plane:]
    after = resampled(shape, spacing, target)
    before = [shape[axis] for axis in target.transpose]
    ratios = [old / usual for old, usual in zip(own, typical, strict=True) if usual > 0]
    if not all(after) or any(ratio >= UNITS or ratio <= 1 / UNITS for ratio in ratios):
        return (
            f"has spacing {sizes_text(own)}, the training images {sizes_text(typical)}: it would "
            f"be resampled from {sizes_text(before[-plane:])} to {sizes_text(after[-plane:])}",
            "is it in another unit (mm or µm)? Write the spacing in the unit of the training "
            "images into the file",
        )
    needed = bytes_needed(after, target)
    there = bytes_of_machine() if needed > ASKED_FROM else 0
    if there and needed > there:
        return (
            f"needs {bytes_text(needed)} of memory at {sizes_text(after)} voxels after resampling; "
            f"this machine has {bytes_text(there)}",
            "cut it into parts, or use a larger machine",
        )
    return "", ""


def resampled(
    shape: tuple[int, ...], spacing: tuple[float, ...], target: Target
) -> tuple[int, ...]:
    """Return the shape of a (Z, Y, X) image after transposition and resampling, uncropped."""
    sizes = [shape[axis] for axis in target.transpose]
    own = [spacing[axis] for axis in target.transpose]
    kept = len(sizes) - len(target.spacing)
    return (
        *sizes[:kept],
        *(
            round(size * old / new)
            for size, old, new in zip(sizes[kept:], own[kept:], target.spacing, strict=True)
        ),
    )


def bytes_needed(shape: tuple[int, ...], target: Target) -> int:
    """Return the least memory that predicting an image of that size takes."""
    voxels = 1
    for size in shape:
        voxels *= int(size)
    return voxels * (target.channels * SINGLE + target.outputs * HALF)
