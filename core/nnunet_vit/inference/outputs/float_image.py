"""Images of real numbers beside masks: NIfTI with the place of the image, TIFF for pictures."""

from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit.files.json_file import JsonMapping

if TYPE_CHECKING:
    from nnunetv2.imageio.base_reader_writer import BaseReaderWriter

    from nnunet_vit.files.array_type import Array

NIFTI, TIFF = ".nii.gz", ".tif"
PLACED = ("SimpleITKIO", "SimpleITKIOWithReorient", "NibabelIO", "NibabelIOWithReorient")


def ending_for(reader: str) -> str:
    """Return the ending for images of a model by the name of nnU-Net's reader of its files."""
    return NIFTI if reader in PLACED else TIFF


def write_image(values: "Array", file: Path, properties: JsonMapping) -> None:
    """Write real numbers with the size, spacing, origin and direction of an image.

    Args:
        values: in the order in which nnU-Net's reader gives the image's pixels.
        file: its ending says which format.
        properties: what the reader told of the image.

    Shapes: (Z, Y, X), Z is 1 for a picture; several channels, (C, Z, Y, X), in a TIFF alone.

    Raises:
        OSError: the disk refuses.
    """
    if file.name.endswith(TIFF):
        _write_tiff(values, file)
    elif "nibabel_stuff" in properties:
        _write_with_nibabel(values, file, properties["nibabel_stuff"])
    else:
        _write_with_itk(values, file, properties.get("sitk_stuff", {}))


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

    names = "CZYX"[-values.ndim :]
    kept = [axis for axis, name in enumerate(names) if name != "Z" or values.shape[axis] > 1]
    shape = [values.shape[axis] for axis in kept]
    tifffile.imwrite(
        file,
        values.reshape(shape),
        photometric="minisblack",
        compression="zlib",
        metadata={"axes": "".join(names[axis] for axis in kept)},
    )


def _write_with_itk(values: "Array", file: Path, place: JsonMapping) -> None:
    import SimpleITK

    flat = len(place.get("spacing", ())) == 2
    image = SimpleITK.GetImageFromArray(values[0] if flat else values)
    if place:
        image.SetSpacing(place["spacing"])
        image.SetOrigin(place["origin"])
        image.SetDirection(place["direction"])
    if "original_orientation" in place:  # of the reader that turns images
        image = SimpleITK.DICOMOrient(image, place["original_orientation"])
    SimpleITK.WriteImage(image, str(file), True)


def _write_with_nibabel(values: "Array", file: Path, place: JsonMapping) -> None:
    from nibabel import orientations, save
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
    save(image, file)
