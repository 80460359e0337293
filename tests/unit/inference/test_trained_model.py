"""Arrays in, masks out: the masks of the files, from many threads at once."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from predicting_model import REGIONS, model_of, save_images

from nnunet_vit.errors import ConfigError, DataError, NumericsError
from nnunet_vit.inference.inputs import Inputs
from nnunet_vit.inference.predicting.pipeline import predict_cases
from nnunet_vit.inference.prediction_options import PredictionOptions
from nnunet_vit.inference.trained_model import TrainedModel, load_model
from nnunet_vit.report.progress import Progress

pytestmark = pytest.mark.unit


def trained(model=None):
    return TrainedModel(model or model_of(folds=2), PredictionOptions("cpu"))


def of_files(model, tmp_path, ending, shapes, **more):
    """Return the images, and the masks that the command writes of their files."""
    files = save_images(tmp_path / "images", ending, shapes, **more)
    (tmp_path / "masks").mkdir()
    options = PredictionOptions("cpu")
    predict_cases(
        Inputs(files, {}), tmp_path / "masks", model, options=options, progress=Progress()
    )
    reader = model.plans.image_reader_writer_class()
    images = [reader.read_images([str(case[0])])[0] for case in files.values()]
    masks = [reader.read_seg(str(tmp_path / f"masks/{case}{ending}"))[0][0] for case in files]
    return images, masks


def test_pictures_are_segmented_as_their_files(tmp_path):
    model = model_of(folds=2)
    images, masks = of_files(model, tmp_path, ".png", [(24, 32), (7, 9), (61, 80)])
    own = trained(model)
    for image, mask in zip(images, masks, strict=True):
        for given in (image[:, 0], image[0, 0], torch.from_numpy(image[:, 0])):
            found = own.predict(given)
            assert found.dtype == np.uint8
            np.testing.assert_array_equal(found, mask[0])


def test_volumes_are_segmented_as_their_files(tmp_path):
    model, spacing = model_of(".nii.gz", REGIONS), (5.0, 0.7, 1.3)
    images, masks = of_files(model, tmp_path, ".nii.gz", [(4, 40, 37)], spacing=spacing)
    found = trained(model).predict(images[0], spacing=spacing)
    np.testing.assert_array_equal(found, masks[0])


def test_probabilities_belong_to_the_mask():
    image = np.random.default_rng(0).normal(120, 30, (40, 50)).astype(np.float32)
    own = trained()
    values = own.predict_probabilities(image)
    assert (values.shape, values.dtype) == ((3, 40, 50), np.float32)
    np.testing.assert_allclose(values.sum(axis=0), 1, atol=1e-5)
    np.testing.assert_array_equal(values.argmax(axis=0), own.predict(image))


def test_many_threads_at_once():
    rng = np.random.default_rng(1)
    images = [rng.normal(120, 30, (30 + size, 40)).astype(np.float32) for size in range(24)]
    own = trained(model_of(folds=3))
    expected = [own.predict(image) for image in images]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(own.predict, images))
    assert all(map(np.array_equal, found, expected))


def test_the_image_stays_as_it_was():
    image = np.random.default_rng(0).normal(120, 30, (1, 40, 50)).astype(np.float32)
    before = image.copy()
    trained().predict(image)
    np.testing.assert_array_equal(image, before)


def test_what_the_model_takes_and_gives():
    own = trained()
    assert own.channels == ["grey"]
    assert own.labels == {"background": 0, "disc": 1, "vessel": 2}


@pytest.mark.parametrize(
    ("image", "spacing", "problem"),
    [
        (np.zeros((3, 40, 50)), None, r"of shape \(3, 40, 50\); needed: .* with 1 of them, grey\."),
        (np.zeros((1, 0, 50)), None, "of shape"),
        (np.zeros(5), None, "of shape"),
        (np.zeros((40, 50), complex), None, "of complex128; needed: real numbers"),
        (np.array([["a", "b"]]), None, "needed: real numbers"),
        (np.full((40, 50), np.nan), None, "not finite"),
        (np.zeros((40, 50)), (1, 1, 1), r"needed: 2 numbers greater than 0, \(Y, X\)"),
        (np.zeros((1, 3, 40, 50)), (0, 1, 1), r"needed: 3 numbers greater than 0, \(Z, Y, X\)"),
    ],
)
def test_arrays_that_are_no_images(image, spacing, problem):
    with pytest.raises(DataError, match=problem):
        trained().predict(image, spacing)


def test_output_that_is_not_finite():
    model = model_of()
    with torch.no_grad():
        model.networks[0][2].bias.fill_(float("nan"))
    with pytest.raises(NumericsError, match="not finite"):
        trained(model).predict(np.ones((40, 50)))


@pytest.mark.parametrize("change", [torch.Tensor.bfloat16, torch.Tensor.requires_grad_])
def test_tensors_that_numpy_does_not_take(change):
    image = torch.arange(2000.0).reshape(40, 50) % 200
    given = change(image.clone())
    expected = trained().predict(given.detach().float().numpy())
    np.testing.assert_array_equal(trained().predict(given), expected)


@pytest.mark.parametrize("step", [0, -1, 1.1, np.nan])
def test_a_step_that_is_none(step, tmp_path):
    with pytest.raises(ConfigError, match=r"^step_size .*; allowed: more than 0, at most 1\."):
        load_model(tmp_path, step_size=step)


def test_a_model_that_resamples_asks_for_the_spacing():
    model = model_of(".nii.gz", REGIONS)
    model.configuration.configuration["spacing"] = [0.8, 0.8]
    with pytest.raises(DataError, match=r"spacing is not given.*\(Z, Y, X\) of the image"):
        trained(model).predict(np.ones((1, 4, 40, 37), np.float32))
