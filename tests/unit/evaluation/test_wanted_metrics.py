"""Folders of masks with what is wanted: files, tables, fields of view, probabilities, volumes."""

import csv
import json
import math

import numpy as np
import pytest

from nnunet_vit.errors import ConfigError, DataError
from nnunet_vit.evaluation.class_masks import MetricOptions
from nnunet_vit.evaluation.evaluate import evaluate_folder
from nnunet_vit.evaluation.wanted import Wanted
from nnunet_vit.report.progress import Progress

pytestmark = pytest.mark.unit

LABELS = {"background": 0, "disc": 1, "cup": 2}
PLANS = {"plans_name": "x", "configurations": {}}


def write(folder, masks, ending=".png"):
    import SimpleITK
    from skimage.io import imsave

    folder.mkdir(exist_ok=True)
    for name, mask in masks.items():
        if ending == ".png":
            imsave(folder / f"{name}.png", mask.astype(np.uint8), check_contrast=False)
        else:
            image = SimpleITK.GetImageFromArray(mask.astype(np.uint8))
            image.SetSpacing((0.5, 0.5, 3.0))
            SimpleITK.WriteImage(image, str(folder / f"{name}{ending}"))


@pytest.fixture
def folders(tmp_path):
    """`folders(predicted, true)` writes masks and returns the folders of both."""

    def make(predicted, true, labels=LABELS, ending=".png", **description):
        places = tmp_path / "predictions", tmp_path / "references"
        for place, masks in zip(places, (predicted, true), strict=True):
            write(place, masks, ending)
        description = {
            "labels": labels, "file_ending": ending, "channel_names": {"0": "R"}, **description
        }  # fmt: skip
        (places[0] / "dataset.json").write_text(json.dumps(description))
        (places[0] / "plans.json").write_text(json.dumps(PLANS))
        return places

    return make


def scene(shift=0, empty=False):
    mask = np.zeros((16, 20), int)
    if not empty:
        mask[2:8, 2 + shift : 8 + shift] = 1
    mask[10:14, 10:14] = 2
    return mask


def measured(places, *metrics, **given):
    wanted = Wanted(metrics, **given)
    return evaluate_folder(*places, Progress(), wanted=wanted)


@pytest.fixture
def three(folders):
    return folders(
        {"a": scene(2), "b": scene(), "c": scene(empty=True)},
        {"a": scene(), "b": scene(empty=True), "c": scene(empty=True)},
    )


def test_the_files(three):
    scores = measured(three, "dice", "hd95")
    rows = list(csv.DictReader((three[0] / "metrics.csv").open()))
    assert [tuple(row.values())[:5] for row in rows[:3]] == [
        ("a", "disc", "dice", repr(2 / 3), ""),
        ("a", "disc", "hd95", "2.0", "px"),
        ("a", "cup", "dice", "1.0", ""),
    ]
    assert [row["empty"] for row in rows if row["metric"] == "dice"] == [
        "", "", "reference", "", "both", "",
    ]  # fmt: skip
    assert rows[-4]["value"] == ""
    found = json.loads((three[0] / "metrics.json").read_text())
    disc = found["classes"]["disc"]["hd95"]
    assert (disc["cases"], disc["without"], disc["one_empty"]) == (2, 1, 1)
    assert disc["mean"] == pytest.approx((2 + math.hypot(16, 20)) / 2)
    assert found["classes"]["disc"]["dice"]["pooled"] == pytest.approx(48 / (48 + 12 + 12 + 36))
    assert found["cases"]["c"]["disc"] == {"dice": None, "hd95": None}
    assert found["metrics"]["hd95"]["unit"] == "px"
    summary = json.loads(scores.summary.read_text())
    assert summary["mean"]["1"]["Dice"] == pytest.approx(found["classes"]["disc"]["dice"]["mean"])
    assert [file.name for file in scores.files] == ["metrics.csv", "metrics.json"]


def test_the_table(three):
    lines = measured(three, "dice", "hd95").as_text().splitlines()
    assert "  Dice          0.333    0.000 to 0.667      0.471     0.333    0.444" in lines
    assert "  HD95 (px)     13.81    2.00 to 25.61       16.70     13.81        -" in lines
    assert "disc: both empty in 1 case, no reference in 1 case of 3." in lines
    assert any(line.startswith("HD95: 95th percentile of the distances") for line in lines)
    assert all(len(line) < 80 for line in lines if line.startswith("  "))


def test_what_is_usual(three):
    names = [metric.name for metric in measured(three).measurement.metrics]
    assert {"dice", "hd95", "nsd"} <= set(names)
    assert "auc" not in names


def test_options_are_said(three):
    scores = measured(three, "nsd", "lesions", options=MetricOptions(1.5, 0.25))
    text = scores.as_text()
    assert "at most 1.5 px from" in text
    assert "IoU 0.25 or more" in text


@pytest.mark.parametrize("options", [{"tolerance": math.nan}, {"tolerance": -1}, {"overlap": 2}])
def test_options_out_of_bounds(options):
    with pytest.raises(ConfigError) as caught:
        MetricOptions(**options)
    assert str(caught.value).startswith(f"--{next(iter(options))} is ")


def test_the_spacing_of_a_volume(folders):
    true, predicted = np.zeros((2, 6, 12, 12), int)
    true[1:3, 4:8, 4:8], predicted[1:4, 4:8, 4:8] = 1, 1
    places = folders({"v": predicted}, {"v": true}, ending=".nii.gz")
    found = measured(places, "hd", "dice").measurement
    assert (found.unit, found.statistics["disc"]["hd"].mean) == ("mm", 3.0)


def test_regions(folders):
    labels = {"background": 0, "whole": [1, 2], "cup": 2}
    places = folders({"a": scene(2)}, {"a": scene()}, labels, regions_class_order=[1, 2])
    found = measured(places, "recall", "hd").measurement.statistics
    assert found["cup"]["hd"].mean == 0
    assert found["whole"]["recall"].mean == pytest.approx((24 + 16) / (36 + 16))


def test_ignored_pixels_do_not_count(folders):
    true, predicted = scene(), scene()
    true[0], predicted[0, :5] = 3, 1
    places = folders({"a": predicted}, {"a": true}, {**LABELS, "ignore": 3})
    found = measured(places, "hd", "dice", "precision").measurement.statistics["disc"]
    assert (found["hd"].mean, found["dice"].mean, found["precision"].mean) == (0, 1, 1)


def test_outside_the_field_of_view_nothing_counts(folders, tmp_path):
    predicted = scene()
    predicted[0] = 1
    places = folders({"a": predicted}, {"a": scene()})
    assert measured(places, "hd").mean < 1
    inside = np.full((16, 20), 255)
    inside[0] = 0
    write(tmp_path / "fov", {"a": inside})
    scores = measured(places, "hd", "specificity", fields=tmp_path / "fov")
    assert scores.mean == 1  # nnU-Net's summary too
    assert scores.measurement.statistics["disc"]["hd"].mean == 0
    assert scores.measurement.statistics["disc"]["specificity"].mean == 1


@pytest.mark.parametrize(
    ("fov", "problem"),
    [
        ({}, "a.png is missing: each reference needs a field of view of its name"),
        ({"a": np.ones((4, 4))}, "a.png is 4 x 4 pixels, its reference 16 x 20 pixels"),
        ({"a": np.zeros((16, 20))}, "a.png is 0 everywhere: no pixel would count"),
    ],
)
def test_fields_of_view_that_do_not_fit(folders, tmp_path, fov, problem):
    places = folders({"a": scene()}, {"a": scene()})
    write(tmp_path / "fov", fov)
    with pytest.raises(DataError) as caught:
        measured(places, fields=tmp_path / "fov")
    assert problem in str(caught.value)
    assert not (places[0] / "summary.json").exists()


def test_no_folder_of_fields(folders, tmp_path):
    places = folders({"a": scene()}, {"a": scene()})
    with pytest.raises(ConfigError, match=r"--fov .*fov is missing\."):
        measured(places, fields=tmp_path / "fov")


def probabilities(mask, sure=0.9):
    """Return nnU-Net's (C, Z, Y, X) of a mask, with three classes."""
    one_hot = np.stack([mask == number for number in range(3)])[:, None]
    return np.where(one_hot, sure, (1 - sure) / 2).astype(np.float32)


def test_probabilities(folders):
    places = folders({"a": scene(2)}, {"a": scene()})
    np.savez_compressed(places[0] / "a.npz", probabilities=probabilities(scene()))
    found = measured(places).measurement.statistics["disc"]
    assert (found["auc"].mean, found["average_precision"].mean) == (1, 1)
    assert found["ece"].mean == pytest.approx((36 * 0.1 + 284 * 0.05) / 320, rel=1e-5)
    assert found["dice"].mean == pytest.approx(2 / 3)


@pytest.mark.parametrize("asked", ["auc", "probabilities"])
def test_probabilities_that_are_not_there(three, asked):
    np.savez_compressed(three[0] / "a.npz", probabilities=probabilities(scene()))
    with pytest.raises(ConfigError) as caught:
        measured(three, "dice", asked)
    assert f"--metrics {asked} needs probabilities, CASE.npz" in str(caught.value)
    assert "b.png, c.png" in str(caught.value)
    assert "auc" not in [m.name for m in measured(three, "all").measurement.metrics]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ({"softmax": np.zeros(3)}, "a.npz holds no array 'probabilities'."),
        ({"probabilities": np.zeros((2, 1, 16, 20))}, "holds an array of shape (2, 1, 16, 20)"),
        ({"probabilities": np.zeros((3, 1, 8, 20))}, "holds an array of shape (3, 1, 8, 20)"),
        ({"probabilities": np.full((3, 1, 16, 20), np.nan)}, "finite numbers"),
    ],
)
def test_files_of_probabilities_that_do_not_fit(folders, content, problem):
    places = folders({"a": scene()}, {"a": scene()})
    np.savez_compressed(places[0] / "a.npz", **content)
    with pytest.raises(DataError) as caught:
        measured(places)
    assert problem in str(caught.value)


def test_a_damaged_file_of_probabilities(folders):
    places = folders({"a": scene()}, {"a": scene()})
    (places[0] / "a.npz").write_bytes(b"PK\x03\x04 no more")
    with pytest.raises(DataError, match=r"a\.npz cannot be read\. Fix: predict again"):
        measured(places)
