"""Each mask on its image: of pictures whole, of volumes the slice with most of it."""

import numpy as np
import pytest
import SimpleITK
from predicting_model import model_of, save_images
from skimage.io import imread

from nnunet_vit.inference.inputs import Inputs
from nnunet_vit.inference.outputs.after_masks import write_after_masks
from nnunet_vit.inference.outputs.case_outputs import outputs_of
from nnunet_vit.inference.prediction_options import PredictionOptions
from nnunet_vit.report.overlay import COLOURS, LINE
from nnunet_vit.report.progress import Progress

pytestmark = pytest.mark.unit


def draw(folder, model, files, **options):
    outputs = outputs_of(model, PredictionOptions(overlays=True, **options))
    inputs = Inputs(files, {})
    write_after_masks(folder, inputs, model.description, outputs=outputs, progress=Progress())
    return imread(folder / "overlays/case_0.png")


def test_a_picture(tmp_path):
    model = model_of()
    files = save_images(tmp_path / "images", ".png", [(400, 500)])
    mask = np.zeros((1, 400, 500), np.uint8)
    mask[:, 100:200, 100:300] = 2
    model.plans.image_reader_writer_class().write_seg(mask, str(tmp_path / "case_0.png"), {})
    picture = draw(tmp_path, model, files)
    image, prediction = picture[LINE : LINE + 400, :500], picture[LINE : LINE + 400, 508:1008]
    assert np.array_equal(image[..., 0], imread(files["case_0"][0]))
    assert picture.shape[1] == 1008
    assert tuple(prediction[100, 200]) == COLOURS[1]  # the outline of the second class
    outside = np.ones((400, 500), bool)
    outside[100:200, 100:300] = False
    assert np.array_equal(prediction[outside], image[outside])


def test_the_slice_of_a_volume_with_most_foreground(tmp_path):
    model = model_of(".nii.gz")
    files = save_images(tmp_path / "images", ".nii.gz", [(6, 40, 40)], spacing=(5.0, 1.0, 1.0))
    mask = np.zeros((6, 40, 40), np.uint8)
    mask[1, 10:20, 10:20] = 1
    mask[4, 10:30, 10:30] = 1
    stored = SimpleITK.GetImageFromArray(mask)
    stored.CopyInformation(SimpleITK.ReadImage(str(files["case_0"][0])))
    SimpleITK.WriteImage(stored, str(tmp_path / "case_0.nii.gz"))
    picture = draw(tmp_path, model, files)
    left = 320 + 8
    green = (picture[LINE : LINE + 320, left:] == COLOURS[0]).all(axis=-1)
    rows = np.flatnonzero(green.any(axis=1))
    assert (rows[0], rows[-1]) == (10 * 8, 30 * 8 - 1)


def test_a_mask_that_has_gone_leaves_the_others(tmp_path):
    model = model_of()
    files = save_images(tmp_path / "images", ".png", [(24, 32)] * 2)
    mask = np.zeros((1, 24, 32), np.uint8)
    model.plans.image_reader_writer_class().write_seg(mask, str(tmp_path / "case_0.png"), {})
    draw(tmp_path, model, files)
    assert [file.name for file in (tmp_path / "overlays").iterdir()] == ["case_0.png"]
