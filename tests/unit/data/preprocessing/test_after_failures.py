"""What failed or was killed leaves nothing that is taken for valid; cases are counted."""

import json
import shutil

import pytest

from nnunet_vit.data.dataset import find_dataset
from nnunet_vit.data.preprocessing.plan_and_preprocess import prepare
from nnunet_vit.errors import DataError

pytestmark = pytest.mark.unit

RECORD = "nnUNetPlans_2d.record.json"


def refusal(call, **options):
    with pytest.raises(DataError) as caught:
        call(**options)
    return str(caught.value)


def read(path):
    return json.loads(path.read_text())


def test_a_failed_preprocessing_leaves_nothing_that_is_taken_for_valid(
    prepared, again, nnunet, rewrite, monkeypatch
):
    from nnunet_vit.data.preprocessing import making

    def fail(*_, **__):
        raise DataError("no")

    rewrite(labels={"background": 0, "disc": 1})
    works = making.preprocess
    monkeypatch.setattr(making, "preprocess", fail)
    assert refusal(again, again=True) == "no"
    rewrite(labels={"background": 0, "rim": 1})
    assert refusal(again) == "no"
    monkeypatch.setattr(making, "preprocess", works)
    again()
    assert nnunet == ["plan", "plan", list("abcdef")]
    assert read(prepared / "dataset.json")["labels"] == {"background": 0, "rim": 1}


def test_a_corrected_description_is_read_after_a_failed_first_start(
    raw, nnunet, said, rewrite, again, monkeypatch
):
    from nnunet_vit.data.preprocessing import making

    works = making.preprocess
    monkeypatch.setattr(
        making, "preprocess", lambda *_, **__: (_ for _ in ()).throw(DataError("no"))
    )
    assert refusal(again) == "no"
    rewrite(channel_names={"0": "rescale_to_0_1", "1": "rgb_to_0_1"})
    monkeypatch.setattr(making, "preprocess", works)
    plans = again()
    schemes = plans["configurations"]["2d"]["normalization_schemes"]
    assert schemes == ["RescaleTo01Normalization", "RGBTo01Normalization"]
    assert nnunet == ["plan", "plan", list("abcdef")]


def test_a_corrected_file_is_read_after_a_failed_first_start(raw, nnunet, again, monkeypatch):
    from nnunet_vit.data.preprocessing import making

    works = making.preprocess
    monkeypatch.setattr(
        making, "preprocess", lambda *_, **__: (_ for _ in ()).throw(DataError("no"))
    )
    assert refusal(again) == "no"
    monkeypatch.setattr(making, "preprocess", works)
    again()
    assert nnunet == ["plan", list("abcdef")]  # the plans were good
    shutil.rmtree(find_dataset(5).preprocessed / "nnUNetPlans_2d")
    (find_dataset(5).preprocessed / RECORD).unlink()
    (raw / "imagesTr" / "a_0000.png").write_bytes(b"eight bits now")
    again()
    assert nnunet[2:] == ["plan", list("abcdef")]


def test_a_killed_run_is_done_again(prepared, again, nnunet):
    (prepared / "nnUNetPlans_2d" / "c.pkl").unlink()
    again()
    assert nnunet == [list("abcdef")]


@pytest.mark.parametrize("said_number", [60, 5, None, "six", True, 6.5])
def test_cases_are_counted_and_not_believed(prepared, rewrite, said_number):
    from nnunet_vit.data.preprocessing.decision import miscounted

    dataset = find_dataset(5)
    description = dict(dataset.description, numTraining=said_number)
    if said_number is None:
        del description["numTraining"]
    words = (
        "does not say numTraining" if said_number is None else f"says numTraining {said_number!r}"
    )
    assert miscounted(type(dataset)(dataset.name, description, dataset.raw), 6) == [
        f"dataset.json {words}; 6 training cases are there, and they count."
    ]
    assert miscounted(dataset, 6) == []


def test_a_wrong_number_preprocesses_nothing_again(prepared, again, rewrite, nnunet):
    rewrite(numTraining=60)
    again()
    assert nnunet == []


def test_nnunet_is_shown_the_right_number(raw, again, rewrite, nnunet):
    rewrite(numTraining=60)
    assert again()["cases"] == 6


def test_nnunet_sees_no_files_of_other_programs(raw, said, nnunet):
    dataset = find_dataset(5)
    (raw / "imagesTr" / "._a_0000.png").write_bytes(b"macOS")
    prepare(dataset, "2d", said, fold=0)
    assert nnunet == ["plan", list("abcdef")]


def test_channels_are_normalized_by_their_number(raw, again, rewrite, nnunet):
    rewrite(channel_names={"1": "CT", "0": "rgb_to_0_1"})
    plans = again()
    schemes = plans["configurations"]["2d"]["normalization_schemes"]
    assert schemes == ["RGBTo01Normalization", "CTNormalization"]


def test_names_as_keys_are_taken_in_the_order_of_the_file(raw, again, rewrite, nnunet):
    rewrite(channel_names={"R": "CT", "G": "rgb_to_0_1"})
    plans = again()
    schemes = plans["configurations"]["2d"]["normalization_schemes"]
    assert schemes == ["CTNormalization", "RGBTo01Normalization"]


@pytest.mark.parametrize("damage", ["{", "[]", None])
def test_damaged_plans_lose_no_case_of_the_splits(prepared, again, add, raw, nnunet, damage):
    plans = prepared / "nnUNetPlans.json"
    plans.unlink() if damage is None else plans.write_text(damage)
    add("g")
    for file in ("imagesTr/d_0000.png", "labelsTr/d.png"):
        (raw / file).unlink()
    again(again=True)
    assert nnunet == ["plan", list("abcefg")]
    for fold in read(prepared / "splits_final.json"):
        assert sorted(fold["train"] + fold["val"]) == list("abcefg")


def test_a_killed_planning_loses_no_case_of_the_splits(prepared, again, add, nnunet, monkeypatch):
    from nnunet_vit.data.preprocessing import making

    works = making.plan

    def killed(*_, **__):
        raise KeyboardInterrupt

    add("g")
    monkeypatch.setattr(making, "plan", killed)
    with pytest.raises(KeyboardInterrupt):
        again(again=True)
    monkeypatch.setattr(making, "plan", works)
    again()
    assert nnunet[-1] == list("abcdefg")
    for fold in read(prepared / "splits_final.json"):
        assert sorted(fold["train"] + fold["val"]) == list("abcdefg")


def test_plans_that_were_edited_are_kept_when_planning_replaces_them(prepared, again, said):
    again(again=True)
    assert list(prepared.glob("plans_before*")) == []  # nnU-Net's own, the same again
    path = prepared / "nnUNetPlans.json"
    edited = path.read_text().replace('"batch_size": 2', '"batch_size": 7')
    path.write_text(edited)
    again(again=True)
    kept = prepared / "plans_before_planning_1.json"
    assert kept.read_text() == edited != path.read_text()
    assert (
        "nnUNetPlans.json has been changed, plans_before_planning_1.json is the one before."
        in said.lines
    )


def test_a_folder_that_waits_to_be_made_again_hides_no_new_case(
    prepared, again, add, raw, nnunet, said
):
    again("2d_small")
    add("g")
    taken = {file: (raw / file).read_bytes() for file in ("imagesTr/f_0000.png", "labelsTr/f.png")}
    for file in taken:
        (raw / file).unlink()
    again(again=True)  # of 2d; the other folder is outdated and knows f
    for file, content in taken.items():
        (raw / file).write_bytes(content)
    again(again=True)
    for fold in read(prepared / "splits_final.json"):
        assert sorted(fold["train"] + fold["val"]) == list("abcdefg")


@pytest.mark.parametrize("change", ["label", "classes"])
def test_to_go_on_with_data_made_again_from_others_is_refused_before_they_are_made(
    prepared, again, raw, rewrite, nnunet, change
):
    again(again=True, resume=True)  # equal data may be made again
    nnunet.clear()
    if change == "label":
        (raw / "labelsTr" / "b.png").write_bytes(b"corrected")
    else:
        rewrite(labels={"background": 0, "cup": 1, "disc": 2})
    error = refusal(again, again=True, resume=True)
    assert error.startswith("--continue: Dataset005_Mine is not what the training began with: la")
    assert nnunet == []


def test_plans_of_plannings_that_failed_do_not_pile_up(prepared, again, monkeypatch):
    from nnunet_vit.data.preprocessing import making

    def fail(*_, **__):
        raise DataError("no")

    monkeypatch.setattr(making, "plan", fail)
    for _ in range(3):
        assert refusal(again, again=True) == "no"
    assert len(list(prepared.glob("plans_before*"))) == 1
