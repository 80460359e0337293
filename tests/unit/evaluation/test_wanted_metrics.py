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


def probabilities(mask, sure=0.9):
    """Return nnU-Net's (C, Z, Y, X) of a mask, with three classes."""
    one_hot = np.stack([mask == number for number in range(3)])[:, None]
    return np.where(one_hot, sure, (1 - sure) / 2).astype(np.float32)


class Said(Progress):
    def __init__(self):
        self.warnings = []

    def warn(self, text):
        self.warnings.append(text)


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
    words = [line.split() for line in lines]
    assert ["Dice", "0.333", "-", "0.471", "0.333", "0.444"] in words
    assert ["HD95", "(px)", "13.81", "-", "16.70", "13.81", "-"] in words
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
    before = (places[0] / "summary.json").read_bytes()
    scores = measured(places, "hd", "specificity", fields=tmp_path / "fov")
    assert scores.mean == 1
    assert (places[0] / "summary.json").read_bytes() == before  # nnU-Net's is of all pixels
    assert [file.name for file in scores.files] == ["metrics_fov.csv", "metrics_fov.json"]
    found = json.loads(scores.files[1].read_text())
    assert found["options"]["fov"] == str(tmp_path / "fov")
    assert f"Only pixels inside the masks of {tmp_path / 'fov'} count." in scores.as_text()
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


def test_probabilities_in_a_field_of_view(folders, tmp_path):
    places = folders({"a": scene()}, {"a": scene()})
    values = probabilities(scene())
    values[:, 0, 15] = [[0.1], [0.9], [0.0]]  # a wrong row
    np.savez_compressed(places[0] / "a.npz", probabilities=values)
    assert measured(places, "auc").measurement.statistics["disc"]["auc"].mean < 1
    inside = np.ones((16, 20))
    inside[15] = 0
    write(tmp_path / "fov", {"a": inside})
    found = measured(places, "auc", "ece", fields=tmp_path / "fov").measurement.statistics["disc"]
    assert found["auc"].mean == 1
    assert found["ece"].mean == pytest.approx((36 * 0.1 + 264 * 0.05) / 300, rel=1e-5)


def test_probabilities(folders):
    places = folders({"a": scene(1)}, {"a": scene()})
    np.savez_compressed(places[0] / "a.npz", probabilities=probabilities(scene()))
    wanted = Wanted(())
    said = Said()
    scores = evaluate_folder(*places, said, wanted=wanted)
    found = scores.measurement.statistics["disc"]
    assert (found["auc"].mean, found["average_precision"].mean) == (1, 1)
    assert found["ece"].mean == pytest.approx((36 * 0.1 + 284 * 0.05) / 320, rel=1e-5)
    assert found["dice"].mean == pytest.approx(5 / 6)
    assert any("1 mask of 1 are not what their probabilities say (a)" in w for w in said.warnings)


def test_probabilities_of_regions(folders):
    labels = {"background": 0, "whole": [1, 2], "cup": 2}
    places = folders({"a": scene()}, {"a": scene()}, labels, regions_class_order=[1, 2])
    values = np.stack([scene() > 0, scene() == 2])[:, None] * 0.8 + 0.1
    np.savez_compressed(places[0] / "a.npz", probabilities=values.astype(np.float16))
    said = Said()
    found = evaluate_folder(*places, said, wanted=Wanted(("auc", "ece"))).measurement.statistics
    assert said.warnings == []
    assert (found["whole"]["auc"].mean, found["cup"]["auc"].mean) == (1, 1)
    assert found["cup"]["ece"].mean == pytest.approx(0.1, abs=1e-3)


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
        ({"probabilities": np.full((3, 1, 16, 20), np.nan)}, "other things than finite numbers"),
        ({"probabilities": np.full((3, 1, 16, 20), "x")}, "other things than finite numbers"),
        ({"probabilities": np.full((3, 1, 16, 20), 5.0)}, "numbers from 5 to 5; probabilities lie"),
        ({"probabilities": np.full((3, 1, 16, 20), 0.5)}, "do not add up to 1 over the classes"),
        ({"probabilities": probabilities(np.ones((16, 20)))}, "is of another prediction: 89% of"),
    ],
)
def test_files_of_probabilities_that_do_not_fit(folders, content, problem):
    places = folders({"a": scene()}, {"a": scene()})
    np.savez_compressed(places[0] / "a.npz", **content)
    with pytest.raises(DataError) as caught:
        measured(places)
    assert problem in str(caught.value)


def damaged(content):
    """Return an archive with a byte of its compressed numbers changed."""
    import io

    stream = io.BytesIO()
    np.savez_compressed(stream, probabilities=content)
    data = bytearray(stream.getvalue())
    data[len(data) // 2] ^= 0xFF
    return bytes(data)


def plain(content):
    import io

    stream = io.BytesIO()
    np.save(stream, content)
    return stream.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"PK\x03\x04 no more",
        b"",
        damaged(np.random.default_rng(0).random((3, 1, 16, 20))),
        plain(np.zeros((3, 1, 16, 20))),
    ],
    ids=["cut off", "empty", "a wrong byte", "an array of its own"],
)
def test_a_damaged_file_of_probabilities(folders, data):
    places = folders({"a": scene()}, {"a": scene()})
    (places[0] / "a.npz").write_bytes(data)
    with pytest.raises(DataError, match=r"a\.npz (cannot be read|is no \.npz archive)"):
        measured(places)


def test_a_plane_of_nifti_is_in_mm(folders):
    true, predicted = np.zeros((2, 1, 12, 12), int)
    true[0, 4:8, 4:8], predicted[0, 4:8, 4:10] = 1, 1
    places = folders({"v": predicted}, {"v": true}, ending=".nii.gz")
    found = measured(places, "hd", "dice").measurement
    assert (found.unit, found.statistics["disc"]["hd"].mean) == ("mm", 1.0)


def test_intervals_of_few_cases_are_not_shown(folders):
    cases = {name: scene(shift) for name, shift in zip("abcde", (0, 1, 2, 3, 0), strict=True)}
    places = folders(cases, {name: scene() for name in cases})
    found = measured(places, "dice").measurement.statistics["disc"]["dice"]
    assert found.low < found.mean < found.high
    for folder in places:
        (folder / "e.png").unlink()
    found = measured(places, "dice").measurement.statistics["disc"]["dice"]
    assert math.isnan(found.low)
