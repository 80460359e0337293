"""Pictures of cases: their sizes, and of volumes the slice that shows most errors."""

import base64
import io
import json

import numpy as np
import pytest

from nnunet_vit.evaluation.mask_pairs import Pair, task_of
from nnunet_vit.evaluation.reporting.case_pictures import MOST, key_of, pictures_of
from nnunet_vit.report.progress import Progress

pytestmark = pytest.mark.unit
LABELS = {"background": 0, "disc": 1, "cup": 2}


@pytest.fixture
def drawn(tmp_path):
    """`drawn(image, reference, prediction)` returns the pictures of one case."""
    import SimpleITK

    def draw(image, reference, prediction, labels=LABELS):
        arrays = {"images": image, "references": reference, "predictions": prediction}
        for name, values in arrays.items():
            (tmp_path / name).mkdir()
            written = SimpleITK.GetImageFromArray(values)
            SimpleITK.WriteImage(written, str(tmp_path / name / "a.nii.gz"))
        description = {"labels": labels, "file_ending": ".nii.gz", "channel_names": {"0": "CT"}}
        (tmp_path / "predictions/dataset.json").write_text(json.dumps(description))
        (tmp_path / "predictions/plans.json").write_text(json.dumps({"configurations": {}}))
        image, reference, prediction = (tmp_path / name / "a.nii.gz" for name in arrays)
        task = task_of(prediction.parent, reference.parent, None)
        found, lacking = pictures_of(
            {"a": Pair(prediction, reference)}, {"a": image}, task, progress=Progress()
        )
        assert lacking == []
        return found["a"], key_of(task)

    return draw


def pixels(view):
    from PIL import Image

    content = base64.b64decode(view.address.partition(",")[2])
    return np.asarray(Image.open(io.BytesIO(content)))


def masks(shape):
    truth = np.zeros(shape, np.uint8)
    truth[..., 4:8, 4:8] = 1
    return truth, truth.copy()


def test_a_volume_shows_the_slice_with_most_errors(drawn):
    truth, guess = masks((5, 12, 20))
    guess[3] = 0
    found, key = drawn(truth.astype(np.float32), truth, guess)
    assert found.place == "slice 4 of 5"
    assert [view.title for view in found.views] == ["image", "reference", "prediction", "errors"]
    assert found.views[3].text.startswith("a, slice 4 of 5: ")
    errors = pixels(found.views[3]).astype(int)
    assert errors.shape[:2] == (found.views[3].height, found.views[3].width) == (180, 300)
    assert np.abs(errors[90, 90] - (64, 132, 255)).max() < 12  # missed
    assert dict(key)["#4084ff"] == "missed" and dict(key)["#009e73"] == "disc"


def test_large_pictures_shrink_and_small_errors_stay(drawn):
    truth, guess = masks((1, 900, 1200))
    guess[0, 450:452, 600:602] = 2
    found, _ = drawn(np.zeros(truth.shape, np.float32), truth, guess)
    assert (found.views[0].width, found.views[0].height) == (480, 360)
    errors = pixels(found.views[3]).astype(int)
    assert errors[178:183, 238:243, 0].max() > 90


def test_noise_stays_small(drawn):
    noise = np.random.default_rng(0).integers(0, 256, (1, 480, 480)).astype(np.float32)
    found, _ = drawn(noise, *masks((1, 480, 480)))
    for view in found.views:
        assert len(view.address) < 1.34 * MOST + 100
        assert pixels(view).shape == (480, 480, 3)


def test_the_key_names_what_the_labels_allow(drawn):
    truth, guess = masks((1, 12, 20))
    _, key = drawn(truth.astype(np.float32), truth, guess, {"background": 0, "disc": 1})
    assert [name for _, name in key] == ["disc", "missed", "false positive"]
