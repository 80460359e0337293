"""Readers of files in another format than a model was trained on; masks are written in its own.

nnU-Net's readers, but for where the pixels come from: each says of a file what they would say of
the same image in their own format.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnunetv2.imageio.natural_image_reader_writer import NaturalImage2DIO
from nnunetv2.imageio.nibabel_reader_writer import NibabelIO, NibabelIOWithReorient
from nnunetv2.imageio.simpleitk_reader_writer import SimpleITKIO

from nnunet_vit.errors import counted
from nnunet_vit.files.json_file import JsonObject

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array

Read = tuple["Array", JsonObject]


class PlaneAsPicture(NaturalImage2DIO):  # type: ignore[misc]
    """A NIfTI, NRRD or MHA of one plane for a model of pictures, which have no spacing."""

    def read_images(self, image_fnames: Sequence[str]) -> Read:
        """Return (C, 1, Y, X) and what is known of it.

        Raises:
            ValueError: a file has several planes.
        """
        values, _ = SimpleITKIO().read_images(image_fnames)
        if values.shape[1] > 1:
            raise ValueError(
                f"it has {counted(values.shape[1], 'plane')}, and the model was trained on pictures"
            )
        return values, {"spacing": (999, 1, 1)}


class PictureAsPlane(SimpleITKIO):  # type: ignore[misc]
    """A picture for a model of planes whose pixels have the size 1."""

    def read_images(self, image_fnames: Sequence[str]) -> Read:
        """Return (C, 1, Y, X) and what is known of it."""
        values, _ = NaturalImage2DIO().read_images(image_fnames)
        place = {"spacing": (1.0, 1.0), "origin": (0.0, 0.0), "direction": (1.0, 0.0, 0.0, 1.0)}
        return values, {"sitk_stuff": place, "spacing": (999.0, 1.0, 1.0)}


class _ByWayOfNifti:
    """Lets a reader of NIfTI read other formats: as NIfTI, which says all that they do."""

    def read_images(self, image_fnames: Sequence[str]) -> Any:  # noqa: ANN401 - nnU-Net's
        """Return what the reader says of the same image as NIfTI."""
        import SimpleITK

        with tempfile.TemporaryDirectory() as folder:
            files = [str(Path(folder, f"{n}.nii")) for n in range(len(image_fnames))]
            for source, file in zip(image_fnames, files, strict=True):
                SimpleITK.WriteImage(SimpleITK.ReadImage(str(source)), file)
            return super().read_images(files)  # type: ignore[misc]


class VolumeForNibabel(_ByWayOfNifti, NibabelIO):  # type: ignore[misc]
    """An NRRD or MHA for a model of NIfTI that nibabel reads."""


class VolumeForNibabelReoriented(_ByWayOfNifti, NibabelIOWithReorient):  # type: ignore[misc]
    """Likewise for one whose images are turned."""
