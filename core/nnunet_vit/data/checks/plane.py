"""Whether the plane of the images holds a patch of the ViT: nnU-Net plans lines where it is one.

A slice saved as (1, W, H) with nibabel is read as (H, W, 1), and its plane is W x 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from nnunet_vit.data.faults import Fault, refuse
from nnunet_vit.files.json_file import JsonMapping
from nnunet_vit.quantities import sizes_text


@dataclass(frozen=True)
class Plane:
    """The plane in which nnU-Net will plan 2D patches.

    Attributes:
        slices: the axis across it, of (Z, Y, X) as read.
        axes: those in it.
        spacing: target of all three axes, as read.
        read: median size of all three axes after resampling, as read.
    """

    slices: int
    axes: tuple[int, int]
    spacing: tuple[float, ...]
    read: tuple[int, ...]

    @property
    def sizes(self) -> tuple[int, ...]:
        """Median size (H, W) in pixels after resampling."""
        return tuple(self.read[axis] for axis in self.axes)


def plane_of(shapes: Sequence[Sequence[int]], spacings: Sequence[Sequence[float]]) -> Plane:
    """Return the plane that nnU-Net's planner will choose.

    Args:
        shapes: of the cases, (Z, Y, X) as read.
        spacings: likewise; what is no spacing does not count.
    """
    import numpy as np

    sizes, steps = np.asarray(shapes, dtype=float), np.asarray(spacings, dtype=float)
    sound = (np.isfinite(steps) & (steps > 0)).all(1)
    if not sound.any():
        sound, steps = np.ones_like(sound), np.ones_like(steps)
    target = np.percentile(steps[sound], 50, 0)  # as nnU-Net's planner
    slices = int(np.argmax(target))
    median = np.median(sizes[sound] * steps[sound] / target, 0)
    return Plane(
        slices,
        tuple(axis for axis in range(3) if axis != slices),  # type: ignore[arg-type]
        tuple(map(float, target)),
        tuple(round(float(size)) for size in median),
    )


def check_planned_plane(name: str, configuration: JsonMapping, vit_patch: int) -> None:
    """Refuse plans that were made for a plane smaller than one patch of the ViT.

    Args:
        name: of the dataset.
        configuration: a 2D one of the plans, resolved.
        vit_patch: edge of the ViT's patches in pixels.

    Raises:
        DataError: the median image is smaller.
    """
    planned = configuration.get("median_image_size_in_voxels")
    if planned is not None:
        fault = plane_fault(name, [round(float(size)) for size in planned[-2:]], vit_patch)
        refuse(name, [fault] if fault else ())


def plane_fault(
    name: str, plane: Sequence[int], vit_patch: int, *, read: Sequence[int] | None = None
) -> Fault | None:
    """Return what is wrong with a plane that is smaller than one patch of the ViT, or None.

    Args:
        name: of the dataset.
        plane: median size (H, W) in pixels after resampling.
        vit_patch: edge of the ViT's patches in pixels.
        read: median size of all three axes as read, where it is known.
    """
    if min(plane) >= vit_patch:
        return None
    as_read = f", read as {sizes_text(read)}" if read is not None else ""
    problem = (
        f"{name}: the plane of its images is {sizes_text(plane)} pixels{as_read} (medians); that "
        f"is less than one patch of the ViT, {vit_patch} x {vit_patch}."
    )
    if min(plane) > 1:
        return Fault(
            problem,
            f"images of {vit_patch} x {vit_patch} pixels or more, or a ViT of smaller patches.",
        )
    where = f" Axis {list(read).index(1) + 1} as read has size 1;" if read is not None else ""
    return Fault(
        f"{problem}{where} the axis of size 1 must be the first as read.",
        "save slices as 2D images, or with nibabel as (W, H, 1), which is read as (1, H, W).",
    )
