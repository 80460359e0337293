"""Pictures of images with their predicted and true outlines."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nnunet_vit.errors import DataError
from nnunet_vit.report.progress import Progress

# Okabe and Ito's palette: told apart by colour-blind readers too; repeated beyond seven classes
COLOURS = (
    (0, 158, 115), (230, 159, 0), (86, 180, 233), (240, 228, 66),
    (0, 114, 178), (213, 94, 0), (204, 121, 167),
)  # fmt: skip
GAP = 8  # pixels between the three views


def write_overlays(
    images: Path,
    predictions: Path,
    references: Path,
    per_case: Mapping[str, float],
    folder: Path,
    progress: Progress,
) -> None:
    """Write a picture per case: the image, the true outlines, the predicted outlines.

    Args:
        images: files CASE_0000.ending, of a kind that scikit-image reads.
        predictions: masks CASE.ending.
        references: likewise.
        per_case: mean Dice by the mask's file name.
        folder: where CASE_dice0.87.png goes.
        progress: where to show what happens.

    Raises:
        DataError: a mask has no image.
    """
    from skimage import io  # type: ignore[attr-defined]

    folder.mkdir(parents=True, exist_ok=True)
    for name, dice in per_case.items():
        ending = ".nii.gz" if name.endswith(".nii.gz") else Path(name).suffix
        case = name.removesuffix(ending)
        image_file = images / f"{case}_0000{ending}"
        if not image_file.is_file():
            raise DataError(f"--images: {image_file} is missing for its mask {name}.")
        picture = side_by_side(
            io.imread(image_file), io.imread(references / name), io.imread(predictions / name)
        )
        io.imsave(folder / f"{case}_dice{dice:.2f}.png", picture, check_contrast=False)
    progress.say(f"{len(per_case)} overlays in {folder}: image, truth, prediction.")


def side_by_side(image: Any, reference: Any, prediction: Any) -> Any:  # noqa: ANN401 - arrays
    """Return the image plain, with the true and with the predicted outlines.

    Shapes: image (H, W) or (H, W, C), masks (H, W); the picture is (H, 3 W + gaps, 3) uint8.
    """
    import numpy as np

    colour = _as_rgb(image)
    gap = np.full((colour.shape[0], GAP, 3), 255, np.uint8)
    views = [colour, gap, outlined(colour, reference), gap, outlined(colour, prediction)]
    return np.concatenate(views, axis=1)


def outlined(image: Any, mask: Any) -> Any:  # noqa: ANN401 - arrays
    """Return the image with each class tinted and outlined in its colour.

    Shapes: image (H, W, 3) uint8, mask (H, W); the result is (H, W, 3) uint8.
    """
    import numpy as np
    from skimage.segmentation import find_boundaries

    result = image.copy()
    for label in np.unique(mask):
        if label:
            colour = np.array(COLOURS[(int(label) - 1) % len(COLOURS)])
            inside = mask == label
            result[inside] = (0.65 * result[inside] + 0.35 * colour).astype(np.uint8)
            result[find_boundaries(inside, mode="inner")] = colour
    return result


def _as_rgb(image: Any) -> Any:  # noqa: ANN401 - arrays
    import numpy as np

    values = image.astype(np.float32)
    if image.dtype != np.uint8:  # any range: stretch what is there
        low, high = np.percentile(values, (1, 99))
        values = 255 * (values - low) / max(float(high - low), 1e-6)
    if values.ndim == 2 or values.shape[-1] < 3:  # grey, with or without transparency
        first = values if values.ndim == 2 else values[..., 0]
        values = np.repeat(first[..., None], 3, axis=-1)
    return np.clip(values[..., :3], 0, 255).astype(np.uint8)
