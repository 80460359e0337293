"""Images of numbers beside masks: NIfTI with the place of the image, TIFF for pictures."""

from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit.files.json_file import JsonMapping

if TYPE_CHECKING:
    from nibabel.nifti1 import Nifti1Image
    from nnunetv2.imageio.base_reader_writer import BaseReaderWriter
    from SimpleITK import Image

    from nnunet_vit.files.array_type import Array

NIFTI, TIFF = ".nii.gz", ".tif"
PLACED = ("SimpleITKIO", "SimpleITKIOWithReorient", "NibabelIO", "NibabelIOWithReorient")


def ending_for(reader: str) -> str:
    """Return the ending for images of a model by the name of nnU-Net's reader of its files."""
    return NIFTI if reader in PLACED else TIFF


def write_image(values: "Array", file: Path, properties: JsonMapping) -> None:
    """Write numbers with the size, spacing, origin and direction of an image.

    Args:
        values: in the order in which nnU-Net's reader gives the image's pixels.
        file: its ending says which format.
        properties: what the reader told of the image.

    Shapes: (Z, Y, X), Z is 1 for a picture.

    Raises:
        OSError: the disk refuses.
    """
    if file.name.endswith(TIFF):
        _write_tiff(values, file)
    elif "nibabel_stuff" in properties:
        from nibabel import save

        save(_nibabel_image(values, properties["nibabel_stuff"]), file)
    else:
        import SimpleITK

        image = _itk_image(values, properties.get("sitk_stuff", {}))
        SimpleITK.WriteImage(image, str(file), True)


def read_image(file: Path, reader: "BaseReaderWriter") -> "Array":
    """Return what `write_image` has written, (Z, Y, X).

    Args:
        file: of the image.
        reader: nnU-Net's, of the masks: both come in the same order of axes.

    Raises:
        OSError, ValueError, RuntimeError: it cannot be read.
    """
    values: Array
    if file.name.endswith(TIFF):
        import tifffile

        values = tifffile.imread(file)
        return values[None] if values.ndim == 2 else values
    values = reader.read_seg(str(file))[0][0]
    return values


def _write_tiff(values: "Array", file: Path) -> None:
    import tifffile

    flat = len(values) == 1
    tifffile.imwrite(
        file,
        values[0] if flat else values,
        photometric="minisblack",
        compression="zlib",
        metadata={"axes": "YX" if flat else "ZYX"},
    )


def placed_image(values: "Array", properties: JsonMapping) -> "tuple[Array, Array]":
    """Return pixels and affine of a NIfTI: its axes, and where it lies in mm.

    Args:
        values: in the order in which nnU-Net's reader gives the image's pixels.
        properties: what the reader told of the image.

    Shapes: (Z, Y, X) to (X, Y, Z), Z is 1 for a plane; the affine is (4, 4).
    """
    import numpy as np
    import SimpleITK

    if "nibabel_stuff" in properties:
        turned = _nibabel_image(values, properties["nibabel_stuff"])
        return np.asarray(turned.dataobj), np.asarray(turned.affine)
    image = _itk_image(values, properties.get("sitk_stuff", {}))
    axes = image.GetDimension()
    affine = np.eye(4)
    directions = np.reshape(image.GetDirection(), (axes, axes))
    affine[:axes, :axes] = directions * image.GetSpacing()
    affine[:axes, 3] = image.GetOrigin()
    pixels: Array = SimpleITK.GetArrayFromImage(image)
    pixels = pixels.reshape((-1, *pixels.shape[-2:])).transpose(2, 1, 0)
    return pixels, np.diag([-1, -1, 1, 1]) @ affine  # ITK counts to the left and the back


def _itk_image(values: "Array", place: JsonMapping) -> "Image":
    import SimpleITK

    flat = len(place.get("spacing", ())) == 2
    image = SimpleITK.GetImageFromArray(values[0] if flat else values)
    if place:
        image.SetSpacing(place["spacing"])
        image.SetOrigin(place["origin"])
        image.SetDirection(place["direction"])
    if "original_orientation" in place:  # of the reader that turns images
        image = SimpleITK.DICOMOrient(image, place["original_orientation"])
    return image


def _nibabel_image(values: "Array", place: JsonMapping) -> "Nifti1Image":
    from nibabel import orientations
    from nibabel.nifti1 import Nifti1Image

    own, shown = place["original_affine"], place.get("reoriented_affine")
    affine = own if shown is None else shown
    image = Nifti1Image(values.transpose((2, 1, 0)), affine)  # type: ignore[no-untyped-call]
    if shown is not None:
        turning = orientations.ornt_transform(  # type: ignore[no-untyped-call]
            orientations.io_orientation(shown),  # type: ignore[no-untyped-call]
            orientations.io_orientation(own),  # type: ignore[no-untyped-call]
        )
        image = image.as_reoriented(turning)  # type: ignore[no-untyped-call]
    return image
