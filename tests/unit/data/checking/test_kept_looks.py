"""What has not changed is not read again, and nothing that was found is lost by that."""

import os
import shutil
from pathlib import Path

import pytest
from PIL import Image

from nnunet_vit.data.checking import examining, keeping, kept_looks
from nnunet_vit.data.checking.kept_looks import FOLDER, KeptLooks, read_kept
from nnunet_vit.data.checking.training_files import check_training_files, repeat_warnings
from nnunet_vit.data.checks.case_look import Seen
from nnunet_vit.data.dataset import find_dataset
from nnunet_vit.errors import MachineError

from .conftest import CASES, describe, mask, picture, put_case

pytestmark = pytest.mark.unit


@pytest.fixture
def read_again(watched, findings):
    """`read_again()` checks the dataset and returns the cases that were read for it."""

    def check():
        watched.cases.clear()
        findings()
        return sorted(watched.cases)

    return check


@pytest.fixture
def kept(nnunet_folders):
    return nnunet_folders / "preprocessed" / FOLDER / "Dataset005_Mine.json"


def test_an_unchanged_dataset_is_not_read(pictures, read_again, watched, monkeypatch):
    assert read_again() == [*CASES]
    monkeypatch.setattr(examining, "reader_for", None)
    assert read_again() == []
    check_training_files(find_dataset(5), 16, watched)
    assert watched.cases == []


def test_what_is_known_is_what_was_seen(volumes, watched):
    first = examining.examine(find_dataset(5), watched)
    again = examining.examine(find_dataset(5), watched)
    assert (first.read, again.read) == (6, 0)
    assert (first.seen, first.tests) == (again.seen, again.tests)


def test_a_changed_file_is_read_again_and_no_other(pictures, read_again):
    read_again()
    put_case(pictures, "b", label=mask(2))
    assert read_again() == ["b"]
    file = pictures / "imagesTr/c_0000.png"
    times = file.stat()
    content = bytearray(file.read_bytes())
    content[60] ^= 1
    file.write_bytes(content)  # of equal size, and given the time that it had
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert read_again() == ["c"]
    assert read_again() == ["c"]  # a bad file is looked at each time: a disk may fail once


def test_new_and_removed_cases(pictures, read_again):
    read_again()
    put_case(pictures, "g")
    assert read_again() == ["g"]
    for file in pictures.glob("*Tr/a*"):
        file.unlink()
    assert read_again() == []


def test_what_was_seen_before_an_interruption_is_known(pictures, read_again, watched, monkeypatch):
    def interrupted(case, kept=watched.case):
        kept(case)
        if case == "d":
            raise KeyboardInterrupt

    monkeypatch.setenv("nnUNet_def_n_proc", "1")
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(watched, "case", interrupted)
        read_again()
    assert not {"a", "b", "c"} & set(read_again())
    assert read_again() == []


@pytest.mark.parametrize(("every", "cases"), [(0, {"a"}), (60, set())])
def test_what_was_seen_is_kept_meanwhile(kept, monkeypatch, every, cases):
    """As a killed process leaves it: nothing is written at its end."""
    monkeypatch.setattr(keeping, "EVERY", every)
    states = {"a": [["a.png", 1, 2, 3]], "b": None}
    going_on = keeping.Keeping("Dataset005_Mine", KeptLooks({"for": 1}), states, {})
    going_on.seen.update(dict.fromkeys("ab", Seen(None, None, ())))
    going_on.keep_at_times()
    assert kept.exists() == bool(cases)
    assert read_kept("Dataset005_Mine", {"for": 1}).looks.keys() == cases


@pytest.mark.parametrize(
    "changes",
    [
        {"labels": {"background": 0, "disc": 1, "cup": 2, "rim": 3}},
        {"channel_names": dict.fromkeys("012", "rgb_to_0_1")},
        {"overwrite_image_reader_writer": "NaturalImage2DIO"},
    ],
    ids=["labels", "channels", "reader"],
)
def test_another_description_asks_for_other_looks(pictures, read_again, changes):
    read_again()
    describe(pictures, **changes)
    assert read_again() == [*CASES]
    describe(pictures, name="words that decide nothing")
    assert read_again() == []


def test_a_copy_elsewhere_is_another_dataset(pictures, read_again, findings, watched, tmp_path):
    read_again()
    copy = tmp_path / pictures.name
    shutil.copytree(pictures, copy)
    watched.cases.clear()
    findings(str(copy))
    assert sorted(watched.cases) == [*CASES]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"schema": 1}', '{"schema": 99, "cases": 0}'])
def test_a_damaged_file_is_as_good_as_none(pictures, read_again, kept, content):
    read_again()
    kept.write_text(content)
    assert read_again() == [*CASES]
    assert read_again() == []


def test_a_look_that_is_damaged(pictures, read_again, kept):
    read_again()
    kept.write_text(kept.read_text().replace('"spacing"', '"spacings"', 1))
    assert read_again() == [*CASES]


def test_nothing_can_be_kept(pictures, read_again, nnunet_folders):
    (nnunet_folders / "preprocessed" / FOLDER).write_text("in the way")
    assert read_again() == read_again() == [*CASES]


def test_without_nnunets_folder_nothing_is_kept(pictures, watched, findings, monkeypatch):
    monkeypatch.delenv("nnUNet_preprocessed")
    assert findings(str(pictures)) == findings(str(pictures)) == ("", "")
    assert len(watched.cases) == 2 * len(CASES)


def test_warnings_are_shown_again(pictures, watched, findings):
    put_case(pictures, "b", label=mask())
    assert findings() == findings()
    assert "1 case without foreground: b." in findings()[1]
    repeat_warnings(find_dataset(5), 16, watched)
    assert [line[:33] for line in watched.lines] == ["1 case without foreground: b. Rig"]


def test_warnings_of_files_that_have_changed_are_not_guessed(pictures, watched, findings):
    put_case(pictures, "b", label=mask())
    findings()
    put_case(pictures, "b")
    repeat_warnings(find_dataset(5), 16, watched)
    assert watched.lines == []


def test_a_spacing_beside_a_stack_is_part_of_it(write_dataset, read_again):
    import tifffile

    raw = write_dataset(
        cases=(), numTraining=5, channel_names={"0": "EM"}, file_ending=".tif",
        labels={"background": 0, "disc": 1},
    )  # fmt: skip
    for case in "abcde":
        tifffile.imwrite(raw / f"imagesTr/{case}_0000.tif", picture(24))
        tifffile.imwrite(raw / f"labelsTr/{case}.tif", mask(1)[None].repeat(24, 0))
        (raw / f"imagesTr/{case}.json").write_text('{"spacing": [1, 1, 1]}')
        (raw / f"labelsTr/{case}.json").write_text('{"spacing": [1, 1, 1]}')
    read_again()
    assert read_again() == []
    (raw / "labelsTr/b.json").write_text('{"spacing": [2, 1, 1]}')
    assert read_again() == ["b"]


def test_test_images_are_read_once_too(pictures, read_again):
    (pictures / "imagesTs").mkdir()
    Image.fromarray(picture(3)).save(pictures / "imagesTs/t_0000.png")
    assert read_again() == [*CASES, "imagesTs/t"]
    assert read_again() == []
    assert Path(pictures / "imagesTs/t_0000.png").exists()


def test_a_full_disk_stops_no_check(pictures, read_again, kept, monkeypatch):
    def full(*_):
        raise MachineError("the disk is full")

    monkeypatch.setattr(kept_looks, "write_text", full)
    assert read_again() == [*CASES]
    assert not kept.exists()
    assert read_again() == [*CASES]
