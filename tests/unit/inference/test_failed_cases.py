"""Cases without a mask are listed, in a file and in the error."""

import json

import pytest

from nnunet_vit.errors import DataError, NumericsError, PartialError
from nnunet_vit.inference.failed_cases import tell_failures

pytestmark = pytest.mark.unit
IMAGES = {case: [f"{case}_0000.png"] for case in "abc"}


def test_some_failed(tmp_path):
    failures = {"a": DataError("a is bad.", "copy it."), "c": NumericsError("c is not finite.")}
    with pytest.raises(PartialError) as caught:
        tell_failures(failures, IMAGES, tmp_path)
    assert str(caught.value) == (
        f"1 of 3 cases has a mask in {tmp_path}; failures.json there lists the others:\n"
        "  a: a is bad. Fix: copy it.\n"
        "  c: c is not finite.\n"
        "Fix: repair these images, then the same command with --continue."
    )
    assert json.loads((tmp_path / "failures.json").read_text()) == {
        "a": {"files": ["a_0000.png"], "problem": "a is bad.", "fix": "copy it."},
        "c": {"files": ["c_0000.png"], "problem": "c is not finite.", "fix": ""},
    }
    tell_failures({}, IMAGES, tmp_path)
    assert not (tmp_path / "failures.json").exists()


def test_all_failed(tmp_path):
    failures = {case: NumericsError(f"{case} is not finite.") for case in IMAGES}
    with pytest.raises(NumericsError, match=r"^None of 3 cases has a mask:\n  a: a is not finite"):
        tell_failures(failures, IMAGES, tmp_path)


def test_many_failed(tmp_path):
    images = {str(number): [] for number in range(31)}
    failures = {str(number): DataError(f"{number} is bad.") for number in range(30)}
    with pytest.raises(PartialError, match=r"  and 10 more, in .*failures\.json\nFix: "):
        tell_failures(failures, images, tmp_path)


def test_every_kind_of_failure_is_shown(tmp_path):
    images = {f"{number:03}": [] for number in range(201)}
    failures = {case: DataError(f"{case} is cut off.", "copy it.") for case in list(images)[:-1]}
    failures["199"] = DataError("199 is grey.", "save it in colour.")
    with pytest.raises(PartialError) as caught:
        tell_failures(failures, images, tmp_path)
    first, *lines, fix = str(caught.value).splitlines()
    assert first.startswith("1 of 201 cases has a mask in ")
    assert lines[:3] == [
        "  000: 000 is cut off. Fix: copy it.",
        "  199: 199 is grey. Fix: save it in colour.",
        "  001: 001 is cut off. Fix: copy it.",
    ]
    assert lines[20:] == [f"  and 180 more, in {tmp_path / 'failures.json'}"]
    assert fix == "Fix: repair these images, then the same command with --continue."
