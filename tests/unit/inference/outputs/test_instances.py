"""Connected parts have numbers, and the table says what they are."""

import csv

import numpy as np
import pytest
import SimpleITK
import tifffile
from predicting_model import model_of, save_images

from nnunet_vit.inference.inputs import Inputs
from nnunet_vit.inference.outputs.after_masks import write_after_masks
from nnunet_vit.inference.outputs.case_outputs import outputs_of
from nnunet_vit.inference.prediction_options import PredictionOptions
from nnunet_vit.report.progress import Progress

pytestmark = pytest.mark.unit


def rows_of(folder, model, files):
    outputs = outputs_of(model, PredictionOptions(instances=True))
    inputs = Inputs(files, {})
    write_after_masks(folder, inputs, model.description, outputs=outputs, progress=Progress())
    assert not list(folder.glob(".*"))
    with (folder / "instances.csv").open() as content:
        return list(csv.reader(content))[1:]


def test_pictures(tmp_path):
    model = model_of()
    files = save_images(tmp_path / "images", ".png", [(6, 7)] * 2)
    mask = np.zeros((1, 6, 7), np.uint8)
    mask[0, :2, :2], mask[0, 2, 2], mask[0, 5, 5] = 1, 1, 1  # two that touch at a corner
    mask[0, 2:4, 0] = 2
    writer = model.plans.image_reader_writer_class()
    writer.write_seg(mask, str(tmp_path / "case_0.png"), {})
    writer.write_seg(0 * mask, str(tmp_path / "case_1.png"), {})
    assert rows_of(tmp_path, model, files) == [
        ["case_0", "1", "disc", "5", "", "", "", "0.8", "0.8"],
        ["case_0", "2", "disc", "1", "", "", "", "5.0", "5.0"],
        ["case_0", "3", "vessel", "2", "", "", "", "2.5", "0.0"],
    ]
    numbers = tifffile.imread(tmp_path / "instances/case_0.tif")
    assert numbers.dtype == np.uint32
    assert np.array_equal(numbers > 0, mask[0] > 0)
    assert (numbers[0, 0], numbers[2, 2], numbers[5, 5], numbers[3, 0]) == (1, 1, 2, 3)
    assert not tifffile.imread(tmp_path / "instances/case_1.tif").any()


def test_volumes(tmp_path):
    model = model_of(".nii.gz")
    files = save_images(tmp_path / "images", ".nii.gz", [(4, 6, 7)], spacing=(5.0, 2.0, 1.0))
    image = SimpleITK.ReadImage(str(files["case_0"][0]))
    mask = np.zeros((4, 6, 7), np.uint8)
    mask[1:3, 2, 3] = 2
    stored = SimpleITK.GetImageFromArray(mask)
    stored.CopyInformation(image)
    SimpleITK.WriteImage(stored, str(tmp_path / "case_0.nii.gz"))
    assert rows_of(tmp_path, model, files) == [
        ["case_0", "1", "vessel", "2", "20", "mm3", "1.5", "2.0", "3.0"]
    ]
    numbers = SimpleITK.ReadImage(str(tmp_path / "instances/case_0.nii.gz"))
    assert numbers.GetPixelID() == SimpleITK.sitkUInt32
    assert numbers.GetSpacing() == image.GetSpacing()
    assert np.array_equal(SimpleITK.GetArrayFromImage(numbers), mask > 0)
