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


@pytest.mark.parametrize(
    ("image", "told"),
    [
        (np.zeros((40, 50, 1)), r"Fix: channels come first: numpy\.moveaxis\(image, -1, 0\)"),
        (np.zeros((4, 40, 50)), r"Fix: image\[None\] of a volume"),
        (np.zeros((40, 50), bool), r"of bool; .* Fix: image\.astype"),
        (np.ma.masked_equal(np.zeros((40, 50)), 0), r"masked values\. Fix: image\.filled\(0\)"),
        (np.full((40, 50), 1e300), "not finite"),
        (np.full((1, 4, 40, 50), 1.0), "A stack of 4 planes; the model was trained on pictures"),
        ([[1, 2], [3]], "no array: setting an array element with a sequence"),
        (None, "needed: real numbers"),
        (torch.empty(40, 50, device="meta"), "no array: Cannot copy out of meta tensor"),
        (torch.eye(40).to_sparse(), "no array: can't convert Sparse"),
        (np.broadcast_to(np.uint8(0), (1, 3_000_000, 3_000_000)), "GB of memory at .*; this mac"),
    ],
)
def test_what_the_model_does_not_take_says_what_to_do(image, told):
    with pytest.raises(DataError, match=told) as caught:
        trained().predict(image)
    assert caught.value.fix


@pytest.mark.parametrize(
    ("spacing", "told"),
    [
        (3, "spacing 3; needed: 3 numbers"),
        ("abc", "spacing abc; needed: 3 numbers"),
        ((None, 1, 1), "needed: 3 numbers"),
        ((1, np.nan, 1), "needed: 3 numbers"),
        ((3, 1e6, 1e6), "GB of memory at 4 x .*; this machine has"),
        ((3, 1e-4, 1e-4), "it would be resampled from 40 x 50 to 0 x 0"),
    ],
)
def test_a_spacing_that_cannot_be(spacing, told):
    with pytest.raises(DataError, match=told):
        trained(model_of(".nii.gz")).predict(np.zeros((1, 4, 40, 50)), spacing)


def test_a_model_of_pictures_resamples_nothing_unsaid():
    with pytest.raises(DataError, match=r"^spacing 0\.5 x 0\.5; the model was trained on pictures"):
        trained().predict(np.zeros((40, 50)), (0.5, 0.5))
    assert trained().predict(np.zeros((40, 50)), (1, 1)).shape == (40, 50)


def test_arrays_in_any_layout_give_one_mask():
    image = np.random.default_rng(0).integers(0, 255, (40, 50)).astype(np.float32)
    own = trained()
    expected = own.predict(image)
    frozen = image.copy()
    frozen.flags.writeable = False
    turned = image[::-1, ::-1].copy()[::-1, ::-1]
    for given in (frozen, turned, np.asfortranarray(image), image.astype(">f4"), image.tolist()):
        np.testing.assert_array_equal(own.predict(given), expected)


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
