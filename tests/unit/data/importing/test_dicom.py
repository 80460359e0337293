"""DICOM as pydicom writes it: single pictures, and series of slices in a folder."""

import sys
from pathlib import Path

import numpy as np
import pytest
from imported_datasets import description_of, drawn, folders, imported_folders, seen, squares
from PIL import Image

from nnunet_vit.errors import DataError, MachineError

pydicom = pytest.importorskip("pydicom")
pytestmark = pytest.mark.unit
SIZE = (16, 20)


def write_dicom(file: Path, values: np.ndarray, *, series: str, place: float | None, **more):
    """A CT slice, or a picture without spacing where it has no place."""
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset(file, {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
    data.SeriesInstanceUID, data.StudyInstanceUID = series, "1.2.3"
    data.Modality, data.Rows, data.Columns = "CT", *values.shape
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated = data.BitsStored = 16
    data.HighBit, data.PixelRepresentation = 15, int(values.dtype.kind == "i")
    if place is not None:
        data.ImagePositionPatient = [1.5, -2.0, place]
        data.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        data.PixelSpacing, data.SliceThickness = [0.8, 0.6], 2.5
    for name, value in more.items():
        setattr(data, name, value)
    data.PixelData = values.tobytes()
    data.save_as(file, enforce_file_format=True)


def write_series(folder: Path, number: int, places, **more) -> np.ndarray:
    folder.mkdir()
    volume = drawn(number, (len(places), *SIZE), "int16", 2000)
    for index, place in enumerate(places):  # names in another order than the slices
        file = folder / f"IM{(index * 3) % len(places):03}"
        write_dicom(file, volume[index], series=f"1.2.{number + 5}", place=place, **more)
    return volume


def test_series_with_masks_of_another_format(tmp_path):
    import SimpleITK

    images, masks = folders(tmp_path)
    truth = {}
    for number in (0, 1):
        places = (10.0, 12.5, 15.0, 17.5)
        truth[number] = write_series(
            images / f"P{number}", number, places, RescaleSlope=1, RescaleIntercept=-1024
        )
        mask = SimpleITK.GetImageFromArray(squares(number, (4, *SIZE)))
        mask.SetSpacing((0.6, 0.8, 2.5))
        mask.SetOrigin((1.5, -2.0, 10.0))
        SimpleITK.WriteImage(mask, str(masks / f"P{number}.nii.gz"))
    dataset = imported_folders(tmp_path)
    raster = seen(dataset, "imagesTr/P1_0000.nrrd")
    assert (raster.values[0] == truth[1] - 1024).all()  # Hounsfield units, as the file says
    assert raster.spacing == pytest.approx((2.5, 0.8, 0.6), rel=1e-12)
    assert raster.placement[:3] == (1.5, -2.0, 10.0)
    assert (seen(dataset, "labelsTr/P1.nrrd").values[0] == squares(1, (4, *SIZE))).all()
    assert description_of(dataset)["channel_names"] == {"0": "CT"}


def test_single_pictures(tmp_path):
    images, masks = folders(tmp_path)
    for number in (0, 1):
        values = drawn(number, SIZE, "uint16", 4000)
        write_dicom(images / f"x{number}.dcm", values, series=f"1.{number + 1}", place=None)
        Image.fromarray(squares(number, SIZE)).save(masks / f"x{number}.png")
    dataset = imported_folders(tmp_path)
    own = seen(dataset, "imagesTr/x1_0000.png").values
    assert (own[0, 0] == drawn(1, SIZE, "uint16", 4000)).all()


def test_what_a_series_must_not_be(tmp_path):
    images, masks = folders(tmp_path)
    write_series(images / "gap", 0, (0.0, 2.5, 7.5, 10.0))
    write_series(images / "double", 1, (0.0, 2.5, 2.5, 5.0))
    write_series(images / "white", 2, (0.0, 2.5, 5.0), PhotometricInterpretation="MONOCHROME1")
    write_series(images / "two", 3, (0.0, 2.5, 5.0))
    write_dicom(images / "two" / "odd.dcm", drawn(1, SIZE, "int16"), series="1.9", place=9.0)
    for name in ("gap", "double", "white", "two"):
        Image.fromarray(squares(1, SIZE)).save(masks / f"{name}.png")
    with pytest.raises(DataError) as caught:
        imported_folders(tmp_path)
    for part in ("uneven distances", "at the same place", "MONOCHROME1", "holds 2 series"):
        assert part in str(caught.value)


def test_frames_palettes_and_turned_slices_are_refused(tmp_path):
    images, masks = folders(tmp_path)
    values = drawn(0, SIZE, "int16")
    write_dicom(images / "cine.dcm", values, series="1.1", place=None, NumberOfFrames="3")
    write_dicom(
        images / "map.dcm", values, series="1.2", place=None,
        PhotometricInterpretation="PALETTE COLOR",
    )  # fmt: skip
    write_series(images / "scout", 0, (0.0, 2.5, 5.0))
    write_dicom(
        images / "scout" / "side.dcm", values, series="1.2.5", place=7.5,
        ImageOrientationPatient=[0, 1, 0, 0, 0, -1],
    )  # fmt: skip
    for name in ("cine", "map", "scout"):
        Image.fromarray(squares(1, SIZE)).save(masks / f"{name}.png")
    with pytest.raises(DataError) as caught:
        imported_folders(tmp_path)
    for part in ("cine.dcm holds 3 frames", "as PALETTE COLOR", "turned against each other"):
        assert part in str(caught.value)


@pytest.mark.parametrize("shift", [0.02, 0.5])
def test_slices_beside_the_line_of_a_tilted_gantry(tmp_path, shift):
    images, masks = folders(tmp_path)
    (images / "tilt").mkdir()
    for number in range(4):
        write_dicom(
            images / "tilt" / f"{number}.dcm", drawn(number, SIZE, "int16"), series="1.2.5",
            place=2.5 * number, ImagePositionPatient=[1.5, shift * number, 2.5 * number],
        )  # fmt: skip
    Image.fromarray(squares(1, SIZE)).save(masks / "tilt.png")
    with pytest.raises(DataError) as caught:
        imported_folders(tmp_path)
    assert ("shifted by up to 1.5 mm" in str(caught.value)) == (shift == 0.5)


def test_without_pydicom_the_extra_is_named(tmp_path, monkeypatch):
    images, masks = folders(tmp_path)
    write_dicom(images / "a.dcm", drawn(0, SIZE, "int16"), series="1.1", place=None)
    Image.fromarray(squares(1, SIZE)).save(masks / "a.png")
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(MachineError, match=r"pip install 'nnunet-vit\[dicom\]'"):
        imported_folders(tmp_path)
