"""Probabilities as images, one class after the other, in half the space of single precision."""

from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit.data.labels import labels_of
from nnunet_vit.files.json_file import JsonMapping
from nnunet_vit.inference.outputs.case_outputs import CaseOutputs
from nnunet_vit.inference.outputs.float_image import TIFF, placed_image
from nnunet_vit.inference.prediction_options import NPZ

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array

HIGHEST = 65535  # NIfTI knows no half precision: 16 bits with a factor, exact to 1 / 131,070


def keep_probabilities(
    values: "Array",
    case: str,
    folder: Path,
    *,
    outputs: CaseOutputs,
    properties: JsonMapping,
    description: JsonMapping,
) -> None:
    """Write the probabilities of a case as they are asked for.

    Args:
        values: (C, Z, Y, X).
        case: its name.
        folder: to write to.
        outputs: names the files.
        properties: what nnU-Net's reader told of the image.
        description: dataset.json.

    Raises:
        OSError: the disk refuses.
    """
    import numpy as np

    file = folder / outputs.probabilities(case)[0]
    if outputs.options.probabilities_format == NPZ:
        np.savez_compressed(file, probabilities=values)
        return
    regions = "regions_class_order" in description
    names = [*([] if regions else ["background"]), *labels_of(description).classes]
    file.parent.mkdir(exist_ok=True)
    write_probabilities(values, file, properties, names)


def write_probabilities(
    values: "Array", file: Path, properties: JsonMapping, names: list[str]
) -> None:
    """Write the probabilities of all classes, or regions, into one image.

    Args:
        values: in the order in which nnU-Net's reader gives the image's pixels.
        file: NIfTI, 16 bits with a factor, or TIFF in half precision.
        properties: what the reader told of the image.
        names: of the classes.

    Shapes: (C, Z, Y, X); in a NIfTI (X, Y, Z, C), in a TIFF (C, Z, Y, X), pictures without Z.

    Raises:
        OSError: the disk refuses.
    """
    import numpy as np

    if file.name.endswith(TIFF):
        _write_tiff(values.astype(np.float16), file, names)
    else:
        _write_nifti(values, file, properties, names)


def _write_tiff(values: "Array", file: Path, names: list[str]) -> None:
    import tifffile

    flat = values.shape[1] == 1
    tifffile.imwrite(
        file,
        values[:, 0] if flat else values,
        photometric="minisblack",
        compression="zlib",
        metadata={"axes": "CYX" if flat else "CZYX", "classes": names},
    )


def _write_nifti(values: "Array", file: Path, properties: JsonMapping, names: list[str]) -> None:
    import numpy as np
    from nibabel import save
    from nibabel.nifti1 import Nifti1Image

    stored = np.round(values.clip(0, 1) * HIGHEST).astype(np.uint16)
    classes = [placed_image(each, properties) for each in stored]
    (_, affine), *_ = classes
    together = np.stack([own for own, _ in classes], axis=-1)
    image = Nifti1Image(together, affine)  # type: ignore[no-untyped-call]
    header = image.header
    header.set_slope_inter(1 / HIGHEST, 0)  # type: ignore[no-untyped-call]
    header.set_xyzt_units("mm")  # type: ignore[no-untyped-call]
    header["descrip"] = ", ".join(names).encode()[:79]
    image.set_qform(affine, 1)  # type: ignore[no-untyped-call]
    image.set_sform(affine, 1)  # type: ignore[no-untyped-call]
    save(image, file)
