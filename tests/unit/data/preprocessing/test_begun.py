"""A preprocessing that was killed goes on where it was; changed files make their cases anew."""

import json
import pickle

import pytest

from nnunet_vit.data.preprocessing import begun, making
from nnunet_vit.errors import DataError

pytestmark = pytest.mark.unit

DATA = "nnUNetPlans_2d"


@pytest.fixture
def kill(monkeypatch, nnunet):
    """`kill()` ends the next preprocessing after three cases; returns what undoes it."""
    works = making.preprocess

    def arm():
        def killed(maker, files, cases, **given):
            works(maker, files, cases[:3], **given)
            raise KeyboardInterrupt

        monkeypatch.setattr(making, "preprocess", killed)

    def disarm():
        monkeypatch.setattr(making, "preprocess", works)

    arm.undo = disarm
    return arm


@pytest.fixture
def killed(raw, kill, again, nnunet, said):
    """A first start that was killed after three of six cases."""
    kill()
    with pytest.raises(KeyboardInterrupt):
        again()
    kill.undo()
    assert nnunet == ["plan", list("abc")]
    nnunet.clear()
    said.lines.clear()
    return raw


def test_finished_cases_stay(killed, again, nnunet, said):
    again()
    assert nnunet == [list("def")]
    assert "3 cases of an earlier start stay." in said.lines


def test_a_changed_case_is_made_anew(killed, again, nnunet):
    (killed / "imagesTr" / "b_0000.png").write_bytes(b"another")
    again()
    assert nnunet == ["plan", list("bdef")]


def test_files_that_were_copied_are_the_same(killed, again, nnunet):
    for file in killed.rglob("*.png"):
        content = file.read_bytes()
        file.unlink()
        file.write_bytes(content)
    again()
    assert nnunet[-1] == list("def")


def test_other_classes_make_all_anew(killed, again, rewrite, nnunet):
    rewrite(labels={"background": 0, "rim": 1})
    again()
    assert nnunet[-1] == list("abcdef")


def test_a_case_that_is_gone_leaves_nothing(killed, again, nnunet, preprocessed_root):
    for folder in ("imagesTr", "labelsTr"):
        for file in (killed / folder).glob("a*"):
            file.unlink()
    again()
    assert nnunet[-1] == list("def")
    names = {file.name for file in (preprocessed_root / DATA).iterdir()}
    assert not any(name.startswith("a") for name in names)


def test_preprocess_again_makes_all_anew(killed, again, nnunet):
    again(again=True)
    assert nnunet == ["plan", list("abcdef")]


def test_a_damaged_note_keeps_nothing(killed, again, nnunet, preprocessed_root):
    (note,) = preprocessed_root.glob("*.begun.json")
    note.write_text("{")
    again()
    assert nnunet[-1] == list("abcdef")


@pytest.mark.parametrize("which", ["imagesTr/e_0000.png", "labelsTr/e.png"])
def test_a_file_that_changes_meanwhile_is_made_again_by_the_next_start(
    raw, kill, again, nnunet, monkeypatch, which
):
    works = making.preprocess

    def changing(maker, files, cases, **given):
        works(maker, files, cases, **given)
        (raw / which).write_bytes(b"another")

    monkeypatch.setattr(making, "preprocess", changing)
    with pytest.raises(DataError, match="Raw files have changed while they were read"):
        again()
    monkeypatch.setattr(making, "preprocess", works)
    again()
    assert nnunet[-1] == ["e"]
    again()
    assert nnunet[-1] == ["e"]  # nothing more


def test_files_of_no_case_are_deleted(killed, again, preprocessed_root):
    for name in ("ghost.b2nd", "ghost_seg.b2nd", "d.b2nd"):
        (preprocessed_root / DATA / name).write_bytes(b"")
    again()
    names = {file.name for file in (preprocessed_root / DATA).iterdir()}
    assert names == {
        f"{case}{ending}" for case in "abcdef" for ending in (".pkl", ".b2nd", "_seg.b2nd")
    }


def test_a_case_of_which_more_is_read_than_its_files_is_made_again(
    killed, again, nnunet, monkeypatch
):
    monkeypatch.setattr(begun, "is_all_of_it", lambda files: files[-1].name != "c.png")
    again()
    assert nnunet == [list("cdef")]


@pytest.mark.parametrize("file", ["b.b2nd", "b_seg.b2nd", "b.pkl"])
def test_a_case_whose_content_was_not_written_is_made_again(
    killed, again, nnunet, preprocessed_root, file
):
    damaged = preprocessed_root / DATA / file
    content = damaged.read_bytes()
    damaged.write_bytes(content[: len(content) // 2])
    again()
    assert nnunet == [list("bdef")]


def test_cases_that_would_run_something_are_refused(killed, again, preprocessed_root):
    (preprocessed_root / DATA / "b.pkl").write_bytes(pickle.dumps(print))
    with pytest.raises(DataError, match=r"would call builtins\.print"):
        again()


def test_the_note_goes_when_all_is_there(killed, again, preprocessed_root):
    assert list(preprocessed_root.glob("*.begun.json"))
    again()
    assert not list(preprocessed_root.glob("*.begun.json"))
    record = json.loads((preprocessed_root / f"{DATA}.record.json").read_text())
    assert sorted(record["cases"]) == list("abcdef")


@pytest.fixture
def preprocessed_root(nnunet_folders):
    """The dataset's folder of preprocessed data."""
    return nnunet_folders / "preprocessed" / "Dataset005_Mine"
