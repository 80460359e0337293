"""Probabilities as images: what other programs read is what nnU-Net's npz holds, in its place."""

import nibabel
import numpy as np
import pytest
import SimpleITK
import tifffile
from nnunetv2.imageio.reader_writer_registry import recursive_find_reader_writer_by_name
from predicting_model import LABELS, REGIONS, model_of, save_images

from nnunet_vit.inference.inputs import Inputs
from nnunet_vit.inference.outputs.float_image import placed_image, read_image, write_image
from nnunet_vit.inference.predicting.pipeline import predict_cases
from nnunet_vit.inference.prediction_options import PredictionOptions
from nnunet_vit.report.progress import Progress

pytestmark = pytest.mark.unit


def predict(model, files, folder, form):
    folder.mkdir()
    options = PredictionOptions("cpu", probabilities=True, probabilities_format=form)
    predict_cases(Inputs(files, {}), folder, model, options=options, progress=Progress())
    return folder


@pytest.mark.parametrize("labels", [LABELS, REGIONS], ids=["labels", "regions"])
def test_pictures(tmp_path, labels):
    model = model_of(labels=labels)
    files = save_images(tmp_path / "images", ".png", [(30, 40)])
    plain = predict(model, files, tmp_path / "npz", "npz")
    expected = np.load(plain / "case_0.npz")["probabilities"]
    tiff = predict(model, files, tmp_path / "tiff", "tiff")
    with tifffile.TiffFile(tiff / "probabilities/case_0.tif") as content:
        found, series = content.asarray(), content.series[0]
        names = content.shaped_metadata[0]["classes"]
    assert (found.dtype, series.axes) == (np.float16, "CYX")
    np.testing.assert_allclose(found, expected[:, 0], atol=5e-4)
    assert names == [name for name in labels if labels is LABELS or name != "background"]
    nifti = predict(model, files, tmp_path / "nifti", "nifti")
    found = nibabel.load(nifti / "probabilities/case_0.nii.gz").get_fdata()
    np.testing.assert_allclose(found.T, expected, atol=1e-5)
    for folder in (tiff, nifti):
        assert (folder / "case_0.png").read_bytes() == (plain / "case_0.png").read_bytes()
        assert not list(folder.glob("*.npz")) and not list(folder.glob("*.pkl"))


def test_volumes_lie_where_the_image_does(tmp_path):
    model = model_of(".nii.gz")
    files = save_images(tmp_path / "images", ".nii.gz", [(4, 30, 40)], spacing=(5.0, 0.7, 1.3))
    image = SimpleITK.ReadImage(str(files["case_0"][0]))
    image.SetOrigin((3, -4, 5))
    image.SetDirection((0, 1, 0, 1, 0, 0, 0, 0, -1))
    SimpleITK.WriteImage(image, str(files["case_0"][0]))
    expected = np.load(predict(model, files, tmp_path / "npz", "npz") / "case_0.npz")
    file = predict(model, files, tmp_path / "nifti", "nifti") / "probabilities/case_0.nii.gz"
    stored = nibabel.load(file)
    assert stored.get_data_dtype() == np.uint16
    np.testing.assert_allclose(stored.affine, nibabel.load(files["case_0"][0]).affine, atol=1e-6)
    assert stored.header["descrip"].item() == b"background, disc, vessel"
    read = SimpleITK.ReadImage(str(file))  # as ITK-SNAP and Slicer do
    values = SimpleITK.GetArrayFromImage(read)
    np.testing.assert_allclose(values, expected["probabilities"], atol=1e-5)
    first = SimpleITK.Extract(read, (*read.GetSize()[:3], 0), (0, 0, 0, 1))
    for what in ("GetSize", "GetSpacing", "GetOrigin", "GetDirection"):
        np.testing.assert_allclose(getattr(first, what)(), getattr(image, what)(), atol=1e-6)


@pytest.mark.parametrize(
    "name", ["SimpleITKIO", "SimpleITKIOWithReorient", "NibabelIO", "NibabelIOWithReorient"]
)
def test_every_reader_of_volumes_turns_images_its_own_way(tmp_path, name):
    values = np.random.default_rng(0).random((4, 5, 6)).astype(np.float32)
    image = SimpleITK.GetImageFromArray(values)
    image.SetSpacing((1.5, 2.0, 3.0))
    image.SetOrigin((3, -4, 5))
    image.SetDirection((0, 1, 0, 1, 0, 0, 0, 0, -1))
    SimpleITK.WriteImage(image, str(tmp_path / "image.nii.gz"))
    reader = recursive_find_reader_writer_by_name(name)()
    read, properties = reader.read_images([str(tmp_path / "image.nii.gz")])
    write_image(read[0], tmp_path / "again.nii.gz", properties)
    again = SimpleITK.ReadImage(str(tmp_path / "again.nii.gz"))
    np.testing.assert_allclose(SimpleITK.GetArrayFromImage(again), values)
    for what in ("GetSpacing", "GetOrigin", "GetDirection"):
        np.testing.assert_allclose(getattr(again, what)(), getattr(image, what)(), atol=1e-6)
    np.testing.assert_allclose(read_image(tmp_path / "again.nii.gz", reader), read[0])
    pixels, affine = placed_image(read[0], properties)
    stored = nibabel.load(tmp_path / "image.nii.gz")
    np.testing.assert_allclose(pixels, stored.get_fdata())
    np.testing.assert_allclose(affine, stored.affine, atol=1e-6)


def test_planes_with_a_spacing(tmp_path):
    values = np.random.default_rng(0).random((1, 5, 6)).astype(np.float32)
    image = SimpleITK.GetImageFromArray(values[0])
    image.SetSpacing((1.5, 2.0))
    image.SetOrigin((3, -4))
    SimpleITK.WriteImage(image, str(tmp_path / "image.nii.gz"))
    reader = recursive_find_reader_writer_by_name("SimpleITKIO")()
    read, properties = reader.read_images([str(tmp_path / "image.nii.gz")])
    write_image(read[0], tmp_path / "again.nii.gz", properties)
    again = SimpleITK.ReadImage(str(tmp_path / "again.nii.gz"))
    assert (again.GetSize(), again.GetSpacing(), again.GetOrigin()) == (
        (6, 5), (1.5, 2.0), (3, -4)
    )  # fmt: skip
    pixels, affine = placed_image(read[0], properties)
    np.testing.assert_allclose(pixels[..., 0].T, values[0])
    np.testing.assert_allclose(np.diag(affine), [-1.5, -2, 1, 1])
