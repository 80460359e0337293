"""Data that stock nnU-Net or an older version has preprocessed: they have no record."""

import json
import os
import shutil

import pytest

from nnunet_vit.data.dataset import find_dataset
from nnunet_vit.errors import DataError

pytestmark = pytest.mark.unit

RECORD = "nnUNetPlans_2d.record.json"


@pytest.fixture
def stock(prepared):
    """The same data without what this package adds."""
    for path in prepared.glob("*.record.json"):
        path.unlink()
    return prepared


def refusal(call, **asked):
    with pytest.raises(DataError) as caught:
        call(**asked)
    return str(caught.value)


def test_equal_data_are_adopted_with_a_record(stock, again, nnunet):
    again()
    assert nnunet == []
    assert list(json.loads((stock / RECORD).read_text())["cases"]) == list("abcdef")


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"channel_names": {"0": "CT", "1": "rgb_to_0_1"}}, "channel_names of dataset.json: ['R',"),
        ({"labels": {"background": 0, "disc": 1}}, "labels of dataset.json: {'background': 0,"),
        ({"channel_names": {"0": "R"}}, "normalized channels: 2, in dataset.json: 1"),
    ],
)
def test_a_changed_description_is_refused(stock, again, rewrite, nnunet, changes, text):
    rewrite(**changes)
    error = refusal(again)
    assert error.startswith("The preprocessed data of Dataset005_Mine no longer belong to its raw")
    assert text in error
    assert error.endswith("plans and preprocesses the dataset again.")
    assert nnunet == []
    assert not (stock / RECORD).exists()


def test_changed_labels_and_removed_cases_are_named(stock, again, raw):
    (raw / "labelsTr" / "a.png").write_bytes(b"picture X")
    for file in ("imagesTr/d_0000.png", "labelsTr/d.png"):
        (raw / file).unlink()
    error = refusal(again)
    assert "changed files: labelsTr/a.png; removed cases: d." in error


def test_copies_with_other_times_are_equal(stock, again, raw, nnunet):
    for file in raw.rglob("*.png"):
        os.utime(file, (1, 1))
    again()
    assert nnunet == []


def test_images_younger_than_what_was_made_of_them_are_named(stock, again, raw, said):
    later = (stock / "nnUNetPlans_2d" / "a.pkl").stat().st_mtime + 10
    for name in ("a_0000.png", "c_0000.png"):
        os.utime(raw / "imagesTr" / name, (later, later))
    from nnunet_vit.data.preprocessing.freshness import decide
    from nnunet_vit.data.preprocessing.refusals import NOTHING

    assert decide(find_dataset(5), "2d", NOTHING).notices == [
        "Younger than what was preprocessed from them: a_0000.png, c_0000.png. If their pixels "
        "have changed: `vit_cli train … --preprocess-again` plans and preprocesses the dataset "
        "again."
    ]


def test_new_cases_join_when_asked_for(stock, again, add, nnunet):
    add("g")
    assert refusal(again).startswith("1 case has been added to Dataset005_Mine since it was")
    again(update=True)
    assert nnunet == [["g"]]
    assert list(json.loads((stock / RECORD).read_text())["cases"]) == list("abcdefg")


def test_plans_that_were_edited_decide_and_it_is_said(stock, again, nnunet, said):
    from nnunet_vit.data.preprocessing.freshness import decide
    from nnunet_vit.data.preprocessing.refusals import NOTHING

    plans = json.loads((stock / "nnUNetPlans.json").read_text())
    plans["configurations"]["2d"]["normalization_schemes"] = ["RescaleTo01Normalization"] * 2
    (stock / "nnUNetPlans.json").write_text(json.dumps(plans))
    work = decide(find_dataset(5), "2d", NOTHING)
    assert work.schemes == ["RescaleTo01Normalization"] * 2
    assert work.notices == [
        "The plans, which decide, normalize otherwise than dataset.json says: 'R' by "
        "RescaleTo01Normalization, 'rgb_to_0_1' by RescaleTo01Normalization."
    ]
    again()
    assert nnunet == []


@pytest.mark.parametrize("changed", [True, False])
def test_plans_alone_are_made_anew_where_the_description_has_changed(
    stock, again, rewrite, nnunet, changed
):
    for name in ("nnUNetPlans_2d", "gt_segmentations"):
        shutil.rmtree(stock / name)
    if changed:
        rewrite(channel_names={"0": "rescale_to_0_1", "1": "rgb_to_0_1"})
    again()
    assert nnunet == [*(["plan"] if changed else []), list("abcdef")]


def test_without_raw_data_what_is_there_is_used(stock, again, raw, nnunet, real_truth):
    shutil.rmtree(raw)
    again()
    assert nnunet == []
    for asked, flag in (({"update": True}, "--update-data"), ({"again": True}, "--preprocess-ag")):
        assert refusal(again, **asked).startswith(flag)


def test_without_raw_data_a_record_says_what_is_whole(prepared, again, raw, real_truth):
    shutil.rmtree(raw)
    again()
    (prepared / "nnUNetPlans_2d" / "b.pkl").unlink()
    assert refusal(again).startswith(f"{prepared / 'nnUNetPlans_2d'} is missing and there are no")
