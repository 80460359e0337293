"""Volumes of SimpleITK, nibabel and pydicom: voxels, spacing and place stay what they are."""

import nibabel
import numpy as np
import pytest
import SimpleITK
from imported_datasets import (
    description_of,
    drawn,
    folders,
    imported,
    imported_folders,
    seen,
    squares,
)

from nnunet_vit.data.checks.detached_data import data_files
from nnunet_vit.data.importing.folder_matching import Folders, cases_of_folders
from nnunet_vit.errors import DataError

pytestmark = pytest.mark.unit
SHAPE = (4, 16, 20)
SPACING, ORIGIN = (0.7123, 0.9, 2.5), (-11.5, 3.25, 8.0)
TURNED = (0.0, 1.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0, 1.0)


def image_of(values):
    image = SimpleITK.GetImageFromArray(values)
    image.SetSpacing(SPACING)
    image.SetOrigin(ORIGIN)
    image.SetDirection(TURNED)
    return image


@pytest.mark.parametrize("ending", [".nii.gz", ".nii", ".nrrd", ".mha", ".nhdr", ".mhd"])
@pytest.mark.parametrize("kind", ["int16", "float32"])
def test_simpleitk(tmp_path, ending, kind):
    images, masks = folders(tmp_path)
    for number in (0, 1):
        values = (drawn(number, SHAPE, kind, 2000) - 1000).astype(kind)
        SimpleITK.WriteImage(image_of(values), str(images / f"a{number}{ending}"))
        SimpleITK.WriteImage(
            image_of(squares(number, SHAPE, (1, 2))), str(masks / f"a{number}{ending}")
        )
    dataset = imported_folders(tmp_path)
    own = description_of(dataset)["file_ending"]
    raster, mask = seen(dataset, f"imagesTr/a1_0000{own}"), seen(dataset, f"labelsTr/a1{own}")
    expected = SimpleITK.ReadImage(str(images / f"a1{ending}"))
    assert (raster.values[0] == SimpleITK.GetArrayFromImage(expected)).all()
    assert (mask.values[0] == squares(1, SHAPE, (1, 2))).all()
    for read in (raster, mask):
        assert read.spacing == expected.GetSpacing()[::-1]
        assert read.placement == (*expected.GetOrigin(), *expected.GetDirection())
    assert description_of(dataset)["labels"] == {"background": 0, "class_1": 1, "class_2": 2}


def test_nibabel_and_names_of_labels(tmp_path):
    images, masks = folders(tmp_path)
    affine = np.diag([0.5, 0.75, 3.0, 1.0])
    for number in (0, 1):
        volume = drawn(number, SHAPE, "int16", 900)
        nibabel.save(nibabel.Nifti1Image(volume.T, affine), images / f"b{number}.nii.gz")
        drawing = squares(number, SHAPE, (7, 9))
        nibabel.save(nibabel.Nifti1Image(drawing.T, affine), masks / f"b{number}.nii.gz")
    dataset = imported_folders(tmp_path, labels=["liver=9", "tumour=7"], channels=("CT",))
    copied = dataset / "imagesTr" / "b0_0000.nii.gz"
    assert copied.read_bytes() == (images / "b0.nii.gz").read_bytes()
    mask = nibabel.load(dataset / "labelsTr" / "b1.nii.gz")
    truth = squares(1, SHAPE, (7, 9))
    assert (np.asarray(mask.dataobj).T == np.select([truth == 9, truth == 7], [1, 2])).all()
    assert np.allclose(np.abs(mask.affine), affine)
    assert description_of(dataset)["channel_names"] == {"0": "CT"}
    assert description_of(dataset)["labels"] == {"background": 0, "liver": 1, "tumour": 2}


def test_mixed_formats_become_nrrd(tmp_path):
    images, masks = folders(tmp_path)
    for number, ending in enumerate((".nii.gz", ".mha")):
        SimpleITK.WriteImage(image_of(drawn(number, SHAPE)), str(images / f"a{number}{ending}"))
        SimpleITK.WriteImage(image_of(squares(number, SHAPE)), str(masks / f"a{number}.nrrd"))
    dataset = imported_folders(tmp_path)
    raster = seen(dataset, "imagesTr/a1_0000.nrrd")
    assert (raster.values[0] == drawn(1, SHAPE)).all()
    assert raster.spacing == SPACING[::-1]


def test_a_mask_that_lies_elsewhere_and_a_volume_cut_off(tmp_path):
    images, masks = folders(tmp_path)
    for name in "abcd":
        SimpleITK.WriteImage(image_of(drawn(1, SHAPE)), str(images / f"{name}.nii"))
        mask = image_of(squares(1, SHAPE))
        if name == "b":
            mask.SetSpacing((1.0, 1.0, 1.0))
        if name == "c":
            mask.SetOrigin((0.0, 0.0, 0.0))
        SimpleITK.WriteImage(mask, str(masks / f"{name}.nii"))
    whole = (images / "d.nii").read_bytes()
    (images / "d.nii").write_bytes(whole[:-100])
    with pytest.raises(DataError) as caught:
        imported_folders(tmp_path)
    text = str(caught.value)
    advice = "a mask with nearest neighbour; copy the header alone only where"
    for part in (
        "b.nii has another spacing",
        "c.nii has another origin",
        "d.nii is cut off",
        advice,
    ):
        assert part in text
    assert not (tmp_path / "raw").exists()


OF_NRRD = "NRRD0004\ntype: uint8\ndimension: 2\nsizes: 20 16\nencoding: raw\n"
OF_META = "ObjectType = Image\nNDims = 2\nDimSize = 20 16\nElementType = MET_UCHAR\n"
UNSAID = {
    "a.nrrd": OF_NRRD,
    "nan.nrrd": f"{OF_NRRD}spacings: nan nan\n",
    "a.nhdr": f"{OF_NRRD}data file: values.bin\n",
    "a.mha": f"{OF_META}ElementDataFile = LOCAL",
    "a.mhd": f"{OF_META}ElementDataFile = values.bin",
}


@pytest.mark.parametrize("name", UNSAID)
def test_a_volume_without_a_spacing_is_refused(tmp_path, name):
    values = squares(0, (16, 20)).tobytes()
    for folder in folders(tmp_path):
        (folder / name).write_bytes(f"{UNSAID[name]}\n".encode() + values)
        (folder / "values.bin").write_bytes(values)
    with pytest.raises(DataError, match="says no spacing"):
        imported_folders(tmp_path)


def test_a_mask_with_nan_is_refused(tmp_path):
    images, masks = folders(tmp_path)
    values = squares(0, SHAPE).astype(np.float32)
    values[0, 0, :2] = np.nan
    SimpleITK.WriteImage(image_of(drawn(0, SHAPE)), str(images / "a.nii.gz"))
    SimpleITK.WriteImage(image_of(values), str(masks / "a.nii.gz"))
    with pytest.raises(DataError, match="2 of them, which ITK reads as 0"):
        imported_folders(tmp_path)


def nrrd_of_two_files(file, data, values):
    sizes = " ".join(map(str, values.shape[::-1]))
    file.write_text(
        f"NRRD0004\ntype: uint8\ndimension: 3\nsizes: {sizes}\nspacings: 1 1 2\n"
        f"encoding: raw\ndata file: {data}\n"
    )


def meta_of_two_files(file, data, values):
    sizes = " ".join(map(str, values.shape[::-1]))
    file.write_text(
        f"ObjectType = Image\nNDims = 3\nBinaryData = True\nDimSize = {sizes}\n"
        f"ElementSpacing = 1 1 2\nElementType = MET_UCHAR\nElementDataFile = {data}\n"
    )


@pytest.mark.parametrize(
    ("ending", "write"),
    [
        (".nrrd", nrrd_of_two_files),
        (".nhdr", nrrd_of_two_files),
        (".mha", meta_of_two_files),
        (".mhd", meta_of_two_files),
    ],
)
def test_voxels_in_a_file_beside_the_header(tmp_path, ending, write):
    images, masks = folders(tmp_path)
    for number in (0, 1):
        for folder, values in ((images, drawn(number, SHAPE)), (masks, squares(number, SHAPE))):
            write(folder / f"a{number}{ending}", f"a{number}.raw", values)
            values.tofile(folder / f"a{number}.raw")
    source = cases_of_folders(Folders(images, {"": masks}))
    assert source.notices == ()
    dataset = imported(source, tmp_path)
    for folder in (images, masks):
        for file in folder.glob("*.raw"):
            file.unlink()
    own = description_of(dataset)["file_ending"]
    assert (seen(dataset, f"imagesTr/a1_0000{own}").values[0] == drawn(1, SHAPE)).all()
    assert (seen(dataset, f"labelsTr/a1{own}").values[0] == squares(1, SHAPE)).all()


def test_files_of_voxels_by_number_and_by_list(tmp_path):
    slices = [tmp_path / f"s{number}.raw" for number in (1, 2)]
    for file in slices:
        file.write_bytes(b"")
    (tmp_path / "n.nhdr").write_text("NRRD0004\ndata file: s%d.raw 1 2 1\n")
    (tmp_path / "l.mhd").write_text("ElementDataFile = LIST\ns1.raw\ns2.raw\n")
    (tmp_path / "own.mha").write_text("ElementDataFile = LOCAL\n")
    assert data_files(tmp_path / "n.nhdr") == data_files(tmp_path / "l.mhd") == slices
    assert data_files(tmp_path / "own.mha") == []
