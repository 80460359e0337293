"""Masks are those of nnU-Net's own predictor, whatever the images and the labels are."""

import numpy as np
import pytest
from alike_masks import ALIKE
from predicting_model import IGNORING, LABELS, REGIONS, model_of, save_images, stock_masks

from nnunet_vit.inference.inputs import Inputs
from nnunet_vit.inference.predicting.pipeline import predict_cases
from nnunet_vit.inference.prediction_options import PredictionOptions
from nnunet_vit.inference.tiling import forward
from nnunet_vit.report.progress import Progress

pytestmark = pytest.mark.unit

PICTURES = [(24, 32), (7, 9), (61, 80), (24, 33)]  # a tile, smaller, several, one more pixel
VOLUMES = [(5, 40, 37), (1, 20, 20), (3, 70, 30)]


def predict(model, files, folder, **options):
    folder.mkdir()
    options = PredictionOptions("cpu", **options)
    predict_cases(Inputs(files, {}), folder, model, options=options, progress=Progress())


def compare(model, files, tmp_path):
    predict(model, files, tmp_path / "ours")
    stock_masks(model, files, tmp_path / "stock")
    read = model.plans.image_reader_writer_class().read_seg
    for case in files:
        ours, theirs = (
            read(str(tmp_path / of / f"{case}{model.ending}")) for of in ("ours", "stock")
        )
        assert ours[0].shape == theirs[0].shape
        assert ours[1] == theirs[1]  # spacing, origin, direction
        assert (ours[0] == theirs[0]).mean() >= ALIKE
        assert len(np.unique(theirs[0])) > 1


@pytest.mark.parametrize("ending", [".png", ".tif"])
@pytest.mark.parametrize("labels", [LABELS, REGIONS, IGNORING], ids=["labels", "regions", "ignore"])
@pytest.mark.parametrize(("folds", "axes"), [(1, None), (3, (0, 1))])
def test_pictures(tmp_path, ending, labels, folds, axes):
    model = model_of(ending, labels, folds=folds, axes=axes)
    compare(model, save_images(tmp_path / "images", ending, PICTURES), tmp_path)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (5.0, 0.7, 1.3)])
@pytest.mark.parametrize("labels", [LABELS, REGIONS], ids=["labels", "regions"])
@pytest.mark.parametrize(("folds", "axes"), [(1, (1,)), (3, None)])
def test_volumes_plane_by_plane(tmp_path, spacing, labels, folds, axes):
    model = model_of(".nii.gz", labels, folds=folds, axes=axes)
    files = save_images(tmp_path / "images", ".nii.gz", VOLUMES, spacing=spacing)
    compare(model, files, tmp_path)


@pytest.mark.parametrize("batch", [1, 3, 64])
def test_batches_of_any_size(tmp_path, batch, monkeypatch):
    model = model_of(folds=2)
    tile = 24 * 32
    monkeypatch.setitem(forward.VOXELS, "cpu", batch * tile)
    compare(model, save_images(tmp_path / "images", ".png", PICTURES), tmp_path)


def test_probabilities(tmp_path):
    model = model_of(folds=2)
    files = save_images(tmp_path / "images", ".png", PICTURES)
    predict(model, files, tmp_path / "ours", probabilities=True)
    stock_masks(model, files, tmp_path / "stock", probabilities=True)
    for case in files:
        ours, theirs = (
            np.load(tmp_path / of / f"{case}.npz")["probabilities"] for of in ("ours", "stock")
        )
        np.testing.assert_allclose(ours, theirs, atol=0.01)
        assert (tmp_path / f"ours/{case}.pkl").is_file()
