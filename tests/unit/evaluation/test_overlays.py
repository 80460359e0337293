"""Overlays of pictures and volumes: which slice, which image, and no Dice lost over them."""

import json

import numpy as np
import pytest

from nnunet_vit.data.labels import labels_of
from nnunet_vit.errors import ConfigError, DataError
from nnunet_vit.evaluation.evaluate import evaluate_folder
from nnunet_vit.evaluation.overlays import check_places, chosen_slice, legend_of, write_overlays
from nnunet_vit.report.progress import Progress

pytestmark = pytest.mark.unit

LABELS = {"background": 0, "disc": 1}


@pytest.fixture
def folders(tmp_path):
    """`folders(ending, cases)` writes images, references and predictions with one wrong row."""

    def write(ending, shape=(6, 8), cases="ab"):
        for name in ("images", "references", "predictions"):
            (tmp_path / name).mkdir()
        truth = np.zeros(shape, np.uint8)
        truth[..., 2:4, 2:6] = 1
        wrong = truth.copy()
        wrong[..., 4, 2:6] = 1
        for case in cases:
            save(tmp_path / "images" / f"{case}_0000{ending}", truth * 90)
            save(tmp_path / "references" / f"{case}{ending}", truth)
            save(tmp_path / "predictions" / f"{case}{ending}", wrong)
        description = {"labels": LABELS, "file_ending": ending, "channel_names": {"0": "CT"}}
        (tmp_path / "predictions" / "dataset.json").write_text(json.dumps(description))
        plans = {"plans_name": "x", "configurations": {}}
        (tmp_path / "predictions" / "plans.json").write_text(json.dumps(plans))
        return [tmp_path / name for name in ("predictions", "references", "images")]

    return write


def save(file, values):
    if file.suffix in {".png", ".tif", ".bmp"}:
        from skimage import io

        io.imsave(file, values, check_contrast=False)
        return
    import SimpleITK

    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(values), str(file))


@pytest.mark.parametrize(
    ("ending", "shape"),
    [
        (".png", (6, 8)), (".bmp", (6, 8)), (".nii.gz", (6, 8)), (".nii.gz", (5, 6, 8)),
        (".nrrd", (5, 6, 8)), (".mha", (6, 8)), (".nii", (5, 6, 8)),
    ],
)  # fmt: skip
def test_a_picture_per_case_of_every_format(folders, tmp_path, ending, shape):
    predictions, references, images = folders(ending, shape)
    scores = evaluate_folder(predictions, references, Progress())
    out = tmp_path / "new" / "overlays"
    write_overlays(scores, images, out, progress=Progress())
    assert sorted(file.name for file in out.iterdir()) == ["a_dice0.80.png", "b_dice0.80.png"]


def test_an_image_that_does_not_fit_costs_its_picture_alone(folders, tmp_path):
    predictions, references, images = folders(".png", cases="abcd")
    save(images / "b_0000.png", np.zeros((3, 3), np.uint8))
    (images / "c_0000.png").unlink()
    (images / "d_0000.png").write_bytes(b"<html>")
    scores = evaluate_folder(predictions, references, Progress())
    with pytest.raises(DataError) as caught:
        write_overlays(scores, images, tmp_path / "out", progress=Progress())
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["a_dice0.80.png"]
    lines = str(caught.value).splitlines()
    assert lines[0] == "--overlays: 3 problems"
    assert f"{images / 'b_0000.png'} is 3 x 3 pixels, its masks 6 x 8 pixels." in lines[1]
    assert f"{images / 'c_0000.png'} is missing for its mask." in lines[2]
    assert f"{images / 'd_0000.png'} is text" in lines[3]


def test_images_that_count_their_channels_from_1(folders, tmp_path):
    predictions, references, images = folders(".png")
    for case in "ab":
        (images / f"{case}_0000.png").rename(images / f"{case}_0001.png")
    scores = evaluate_folder(predictions, references, Progress())
    write_overlays(scores, images, tmp_path / "out", progress=Progress())
    assert len(list((tmp_path / "out").iterdir())) == 2


@pytest.mark.parametrize("place", [0, 1, 2])
def test_pictures_among_images_or_masks_are_refused(folders, place):
    predictions, references, images = given = folders(".png")
    with pytest.raises(ConfigError, match="pictures among them would be taken"):
        check_places(given[place], images, predictions, references=references)
    with pytest.raises(ConfigError, match="needs the pictures"):
        check_places(images / "new", None, predictions, references=references)
    with pytest.raises(ConfigError, match="is a file"):
        check_places(images / "a_0000.png", images, predictions, references=references)
    check_places(predictions / "overlays", images, predictions, references=references)


def test_the_slice_with_most_errors():
    reference = np.zeros((5, 6, 8), np.uint8)
    reference[1] = 1
    prediction = reference.copy()
    assert chosen_slice(reference, prediction, None, ignored=None) == (0, 1, "slice 2 of 5")
    prediction[3, 0, :3] = 1
    prediction[4, 0, :2] = 1
    assert chosen_slice(reference, prediction, (1.0, 1.0, 1.0), ignored=None) == (
        0,
        3,
        "slice 4 of 5",
    )
    assert chosen_slice(reference * 0, reference * 0, None, ignored=None) == (0, 2, "slice 3 of 5")
    assert chosen_slice(reference[:1], prediction[:1], (999.0, 1, 1), ignored=None) == (0, 0, "")


def test_slices_across_the_axis_of_the_longest_voxels_and_ignored_pixels():
    reference = np.zeros((5, 6, 8), np.uint8)
    prediction = reference.copy()
    prediction[2, 2, 7] = 1
    assert chosen_slice(reference, prediction, (1.0, 1.0, 3.0), ignored=None) == (
        2,
        7,
        "slice 8 of 8",
    )
    reference[2, 2, 7] = 9
    assert chosen_slice(reference, prediction, None, ignored=9)[1] == 2  # its foreground, no error


def test_the_legend_of_regions():
    legend = legend_of(
        labels_of({"labels": {"background": 0, "whole": [1, 2], "cup": 2, "ignore": 3}})
    )
    assert legend.names == {1: "whole", 2: "whole + cup"}
    assert legend.ignored == 3
