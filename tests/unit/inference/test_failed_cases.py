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
        f"1 of 3 cases have a mask in {tmp_path}; failures.json there lists the others:\n"
        "  a is bad. Fix: copy it.\n"
        "  c is not finite. Fix: repair these images, then the same command with --continue."
    )
    assert json.loads((tmp_path / "failures.json").read_text()) == {
        "a": {"files": ["a_0000.png"], "problem": "a is bad.", "fix": "copy it."},
        "c": {"files": ["c_0000.png"], "problem": "c is not finite.", "fix": ""},
    }
    tell_failures({}, IMAGES, tmp_path)
    assert not (tmp_path / "failures.json").exists()


def test_all_failed(tmp_path):
    failures = {case: NumericsError(f"{case} is not finite.") for case in IMAGES}
    with pytest.raises(NumericsError, match=r"^None of 3 cases has a mask:\n  a is not finite"):
        tell_failures(failures, IMAGES, tmp_path)


def test_many_failed(tmp_path):
    images = {str(number): [] for number in range(31)}
    failures = {str(number): DataError(f"{number} is bad.") for number in range(30)}
    with pytest.raises(PartialError, match=r"  and 10 more, in .*failures\.json Fix: "):
        tell_failures(failures, images, tmp_path)
