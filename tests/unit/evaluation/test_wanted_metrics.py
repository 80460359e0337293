"""Folders of masks with what is wanted: files, tables, fields of view, probabilities, volumes."""

import csv
import json
import math

import numpy as np
import pytest
from mask_folders import LABELS, folders, measured, scene, three, write

from nnunet_vit.errors import ConfigError, DataError
from nnunet_vit.evaluation.class_masks import MetricOptions
from nnunet_vit.evaluation.metric_table import NARROW_NOTE

__all__ = ["folders", "three"]  # fixtures
pytestmark = pytest.mark.unit


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


def test_a_narrow_terminal_gets_a_narrow_table(three):
    scores = measured(three, "dice", "volume_error", "hd95", "cldice")
    narrow, wide = (scores.as_text(columns).splitlines() for columns in (39, 79))
    rows = [line for line in narrow if line.startswith("  Dice ")]
    dice = scores.measurement.statistics[scores.measurement.classes[0]]["dice"]
    assert f"{dice.mean:.3f}" in rows[0]
    table = narrow[: narrow.index(NARROW_NOTE)]
    assert max(map(len, table)) <= 39
    assert NARROW_NOTE not in wide
    assert max(len(line) for line in wide if line.startswith("  Dice ")) <= 79
