"""Preprocessed data and plans that no longer belong to the raw data, and what is done about it."""

import json
import os

import pytest

from nnunet_vit.data.dataset import find_dataset
from nnunet_vit.data.preprocessing.plan_and_preprocess import prepare
from nnunet_vit.errors import DataError

pytestmark = pytest.mark.unit

AGAIN = "Fix: `vit_cli train … --preprocess-again` plans and preprocesses the dataset again."
RECORD = "nnUNetPlans_2d.record.json"


def refusal(call, **options):
    with pytest.raises(DataError) as caught:
        call(**options)
    return str(caught.value)


def differs(text, prepared, recorded=True):
    file = f" If nnU-Net itself has preprocessed since, delete {prepared / RECORD}."
    return (
        f"The preprocessed data of Dataset005_Mine no longer belong to its raw data. {text}. "
        f"{AGAIN}{file if recorded else ''}"
    )


def read(path):
    return json.loads(path.read_text())


def test_a_first_start_plans_preprocesses_and_leaves_a_record(raw, nnunet, said):
    prepare(find_dataset(5), "2d", said, fold=0)
    assert nnunet == ["plan", list("abcdef")]
    root = find_dataset(5).preprocessed
    record = read(root / RECORD)
    assert list(record["cases"]) == list("abcdef")
    assert [file["name"] for file in record["cases"]["a"]] == ["a_0000.png", "a.png"]
    assert record["description"]["channel_names"] == ["R", "rgb_to_0_1"]
    assert len(read(root / "splits_final.json")) == 5
    assert not list(root.glob(".raw*"))
    assert "dataset" not in read(root / "dataset.json")


def test_a_second_start_does_nothing(prepared, again, nnunet, said):
    before = {path: path.stat().st_mtime_ns for path in prepared.rglob("*.json")}
    again()
    assert (nnunet, said.lines) == ([], [])
    assert {path: path.stat().st_mtime_ns for path in prepared.rglob("*.json")} == before


def test_a_copied_dataset_is_equal_and_the_record_gets_its_times(prepared, again, nnunet, raw):
    before = (prepared / RECORD).read_text()
    for file in raw.rglob("*.png"):
        os.utime(file, (1, 1))
    again()
    assert nnunet == []
    assert (prepared / RECORD).read_text() != before
    assert read(prepared / RECORD)["cases"]["a"][0]["changed"] == 10**9


def test_a_file_of_equal_size_and_time_is_told_by_its_content(prepared, again, raw, nnunet):
    image = raw / "imagesTr" / "c_0000.png"
    times = image.stat()
    image.write_bytes(b"picture 9")  # as long as before
    os.utime(image, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert refusal(again) == differs("changed files: imagesTr/c_0000.png", prepared)
    assert nnunet == []


def test_records_of_an_older_version_know_one_time(prepared, again, nnunet):
    content = read(prepared / RECORD)
    for states in content["cases"].values():
        for state in states:
            del state["written"]
    (prepared / RECORD).write_text(json.dumps(content))
    again()
    assert nnunet == []
    assert all(file["written"] for file in read(prepared / RECORD)["cases"]["a"])


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (
            {"labels": {"background": 0, "disc": 1, "cup": 2, "rim": 3}},
            "labels of dataset.json: {'background': 0, 'disc': 1, 'cup': 2}, now {'background': 0, "
            "'disc': 1, 'cup': 2, 'rim': 3}",
        ),
        (
            {"channel_names": {"0": "CT", "1": "rgb_to_0_1"}},
            "channel_names of dataset.json: ['R', 'rgb_to_0_1'], now ['CT', 'rgb_to_0_1']",
        ),
        (
            {"overwrite_image_reader_writer": "SimpleITKIO"},
            "overwrite_image_reader_writer of dataset.json: None, now SimpleITKIO",
        ),
        (
            {"labels": {"background": 0, "disc": [1, 2], "cup": 2}, "regions_class_order": [1, 2]},
            "labels of dataset.json: {'background': 0, 'disc': 1, 'cup': 2}, now {'background': 0, "
            "'disc': [1, 2], 'cup': 2}; regions_class_order of dataset.json: None, now [1, 2]",
        ),
    ],
)
def test_a_changed_description_is_refused_with_what_differs(
    prepared, again, rewrite, nnunet, changes, text
):
    rewrite(**changes)
    assert refusal(again) == differs(text, prepared)
    assert refusal(again, resume=True) == differs(text, prepared)
    assert nnunet == []


@pytest.mark.parametrize(
    "changes",
    [
        {"labels": {"cup": 2, "background": 0, "disc": 1}},
        {"channel_names": {"1": "rgb_to_0_1", "0": "R"}},
        {"channel_names": {"red": "R", "all": "rgb_to_0_1"}},
        {"description": "another text", "numTest": 7},
        {"labels": {"background": "0", "disc": "1", "cup": 2.0}},
        {"labels": {"background": 0, "disc": [1], "cup": [2], "ignore": None}},
        {"regions_class_order": [2, 1]},
        {"overwrite_image_reader_writer": "NaturalImage2DIO"},  # the plans have it
        {"overwrite_image_reader_writer": "None"},
        {"channel_names": {"0": "R", "1": "RGB_to_0_1"}},
    ],
)
@pytest.mark.parametrize("recorded", [True, False])
def test_what_means_the_same_is_the_same(prepared, again, rewrite, nnunet, changes, recorded):
    if not recorded:
        (prepared / RECORD).unlink()
    rewrite(**changes)
    again()
    again()
    assert nnunet == []
    rewrite(labels={"background": 0, "disc": 2, "cup": 1})
    assert "labels of dataset.json: " in refusal(again)


@pytest.mark.parametrize(
    "labels",
    [
        {"background": 0, "cup": 2, "whole": [1, 2]},  # the order of regions decides
        {"background": 0, "whole": [1, 2], "cup": [1]},
    ],
)
def test_other_regions_are_not_the_same(raw, nnunet, said, again, rewrite, labels):
    regions = {"background": 0, "whole": [1, 2], "cup": 2}
    rewrite(labels=regions, regions_class_order=[1, 2])
    prepare(find_dataset(5), "2d", said, fold=0)
    rewrite(labels={"background": 0, "whole": [2, 1], "cup": [2]})
    again()
    rewrite(labels=labels, regions_class_order=[1, 1] if labels["cup"] == [1] else [2, 1])
    assert "labels of dataset.json: " in refusal(again)


def test_changed_and_removed_files_are_named(prepared, again, raw, add):
    (raw / "labelsTr" / "b.png").write_bytes(b"another label")
    (raw / "imagesTr" / "c_0000.png").write_bytes(b"picture 9")  # as long as before
    os.utime(raw / "imagesTr" / "c_0000.png", (1, 1))
    for file in ("imagesTr/d_0000.png", "labelsTr/d.png"):
        (raw / file).unlink()
    add("g")
    assert refusal(again) == differs(
        "changed files: labelsTr/b.png, imagesTr/c_0000.png; removed cases: d; new cases: g",
        prepared,
    )
    assert "removed cases: d" in refusal(again, update=True)


@pytest.mark.parametrize(
    ("key", "value"), [("spacing", [2.0, 2.0]), ("normalization_schemes", ["NoNormalization"] * 2)]
)
def test_changed_plans_are_named(prepared, again, key, value):
    plans = read(prepared / "nnUNetPlans.json")
    before = plans["configurations"]["2d"][key]
    plans["configurations"]["2d"][key] = value
    (prepared / "nnUNetPlans.json").write_text(json.dumps(plans))
    assert refusal(again) == differs(f"{key} of nnUNetPlans.json: {before}, now {value}", prepared)


def test_sizes_of_patch_and_batch_may_change(prepared, again, nnunet):
    plans = read(prepared / "nnUNetPlans.json")
    plans["configurations"]["2d"] |= {"patch_size": [64, 64], "batch_size": 9}
    (prepared / "nnUNetPlans.json").write_text(json.dumps(plans))
    assert again()["configurations"]["2d"]["batch_size"] == 9
    assert nnunet == []


def test_new_cases_are_refused_unless_asked_for(prepared, again, add, nnunet):
    add("g", "h")
    message = "2 cases have been added to Dataset005_Mine since it was preprocessed: g, h. Fix: "
    assert refusal(again) == (
        f"{message}--update-data preprocesses new cases with the plans that are there and adds "
        "them to splits_final.json; or `vit_cli train … --preprocess-again` plans and preprocesses "
        "the dataset again."
    )
    assert refusal(again, resume=True) == (
        f"{message}take them out of the raw data to resume this training; or --update-data "
        "with --overwrite starts it from scratch with them."
    )
    assert nnunet == []


def test_new_cases_join_and_nobody_else_moves(prepared, again, add, nnunet, said):
    before = read(prepared / "splits_final.json")
    add("g", "h")
    again(update=True)
    assert nnunet == [["g", "h"]]
    assert len(list((prepared / "nnUNetPlans_2d").glob("*.pkl"))) == 8
    assert len(list((prepared / "gt_segmentations").iterdir())) == 8
    after = read(prepared / "splits_final.json")
    assert [[name for name in fold["val"] if name in "abcdef"] for fold in after] == [
        fold["val"] for fold in before
    ]
    for case in "gh":
        assert sum(case in fold["val"] for fold in after) == 1
        assert sum(case in fold["train"] for fold in after) == 4
    assert read(prepared / "splits_before_update_6_cases.json") == before
    assert said.lines == [
        "Preprocessing 2 new cases of Dataset005_Mine …",
        "splits_final.json has been changed, splits_before_update_6_cases.json is the one before.",
    ]
    assert read(prepared / "dataset.json")["numTraining"] == 8
    assert not [path for path in prepared.iterdir() if "of_new_cases" in path.name]
    again()
    assert nnunet == [["g", "h"]]


def test_another_configuration_is_preprocessed_of_the_same_raw_data(prepared, again, add, nnunet):
    again("2d_small")
    assert nnunet == [list("abcdef")]
    again("2d_batch")  # shares the data of 2d
    assert len(nnunet) == 1
    add("g")
    assert "1 case has been added" in refusal(again, configuration="2d_small")
    again("2d_small", update=True)
    assert "1 case has been added" in refusal(again)
    again(update=True)
    assert nnunet[1:] == [["g"], ["g"]]
    assert sum("g" in fold["val"] for fold in read(prepared / "splits_final.json")) == 1


def test_a_configuration_that_comes_later_sees_that_the_raw_data_have_changed(
    prepared, again, raw, nnunet
):
    (raw / "labelsTr" / "a.png").write_bytes(b"another label")
    assert "changed files: labelsTr/a.png" in refusal(again, configuration="2d_small")
    assert nnunet == []


def test_preprocess_again_plans_anew_and_the_splits_follow(
    prepared, again, rewrite, raw, add, nnunet
):
    before = read(prepared / "splits_final.json")
    rewrite(labels={"background": 0, "disc": 1})
    for file in ("imagesTr/d_0000.png", "labelsTr/d.png"):
        (raw / file).unlink()
    add("g")
    (raw / "labelsTr" / "b.png").write_bytes(b"older, other")
    os.utime(raw / "labelsTr" / "b.png", (1, 1))
    again(again=True)
    assert nnunet == ["plan", list("abcefg")]
    after = read(prepared / "splits_final.json")
    assert [[n for n in fold["val"] if n != "g"] for fold in after] == [
        [n for n in fold["val"] if n != "d"] for fold in before
    ]
    assert read(prepared / "dataset.json")["labels"] == {"background": 0, "disc": 1}
    assert (prepared / "gt_segmentations" / "b.png").read_bytes() == b"older, other"
    assert not (prepared / "gt_segmentations" / "d.png").exists()
    again()
    assert len(nnunet) == 2


def test_data_of_other_configurations_are_made_again_too(prepared, again, nnunet, rewrite):
    again("2d_small")
    rewrite(labels={"background": 0, "disc": 1})
    again(again=True)
    again("2d_small")
    assert nnunet == [list("abcdef"), "plan", list("abcdef"), list("abcdef")]
