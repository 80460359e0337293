"""Which files are which case and channel: as nnU-Net finds them, foreign files apart."""

import os

import pytest
from nnunetv2.utilities.utils import get_filenames_of_train_images_and_targets

from nnunet_vit.data.case_files import (
    Case,
    cases_of,
    channel_of,
    files_of,
    foreign_files,
    is_foreign,
    training_cases,
)

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "name",
    [
        "._case_0000.png", ".DS_Store", ".case_0000.png", "Thumbs.db", "thumbs.db", "desktop.ini",
        "Desktop.ini", "case_0000.png~", "#case_0000.png#", "~$case_0000.png", ".case.png.swp",
        "case_0000.png.part", "case_0000.png.bak", "Icon\r", "__MACOSX", "@eaDir",
    ],
)  # fmt: skip
def test_files_of_other_programs(name):
    assert is_foreign(name)


@pytest.mark.parametrize(
    "name", ["case_0000.png", "a.b c_0000.nii.gz", "case~1_0000.png", "#1_0000.png", "_0000.png"]
)
def test_files_of_cases_are_not_foreign(name):
    assert not is_foreign(name)


def test_cases_and_channels_are_those_of_nnunet(write_dataset):
    raw = write_dataset(cases=())
    names = ["b_0000.png", "b_0001.png", "a.x y_0001.png", "a.x y_0003.png", "c_0000_0000.png"]
    for name in [*names, "d_0000.PNG", "d_0000.png.txt"]:
        (raw / "imagesTr" / name).touch()
    description = {"file_ending": ".png"}
    theirs = get_filenames_of_train_images_and_targets(str(raw), dict(description))
    ours = training_cases(raw, description)
    assert list(ours) == ["a.x y", "b", "c_0000"]
    assert {
        case: {"images": list(map(str, files.images)), "label": str(files.label)}
        for case, files in ours.items()
    } == theirs


def test_what_is_no_image_belongs_to_no_case(tmp_path):
    for name in ("a_0000.png", "b.png", "_0000.png", "._a_0000.png", ".DS_Store", "Thumbs.db"):
        (tmp_path / name).touch()
    (tmp_path / "c_0000.png").mkdir()
    assert cases_of(tmp_path, ".png") == {"a": [tmp_path / "a_0000.png"]}
    assert [file.name for file in files_of(tmp_path)] == ["_0000.png", "a_0000.png", "b.png"]
    assert [file.name for file in foreign_files(tmp_path)] == [
        ".DS_Store", "._a_0000.png", "Thumbs.db",
    ]  # fmt: skip
    assert foreign_files(tmp_path, ".png") == [tmp_path / "._a_0000.png"]
    assert channel_of(tmp_path / "a_0012.png", ".png") == "0012"
    assert channel_of(tmp_path / "a.png", ".png") == ""


def test_listed_files_are_resolved_as_nnunet_does(write_dataset, monkeypatch, tmp_path):
    raw = write_dataset(cases=())
    monkeypatch.setenv("ELSEWHERE", str(tmp_path))
    listed = {
        "a": {"images": ["../shared/a.png", "$ELSEWHERE/a2.png"], "label": "labelsTr/a.png"},
        "b": {"images": [str(tmp_path / "b.png")], "label": "${ELSEWHERE}/b.png"},
    }
    ours = training_cases(raw, {"file_ending": ".png", "dataset": listed})
    assert ours["b"] == Case((tmp_path / "b.png",), tmp_path / "b.png")
    theirs = get_filenames_of_train_images_and_targets(str(raw), {"dataset": listed})
    for case, files in ours.items():
        assert [os.fspath(image) for image in files.images] == theirs[case]["images"]
        assert os.fspath(files.label) == theirs[case]["label"]
