"""Outputs that cannot be written: one line with the user's own words, before any other work."""

import errno

import pytest

from nnunet_vit.cli import exit_code_of

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("words", "given"),
    [
        (["compare", "a", "b", "-o", "taken/x"], "--output taken/x"),
        (["report", "a", "-o", "taken/x.html"], "--output taken/x.html"),
        (["show-batch", "-o", "taken/x.png"], "-o taken/x.png"),
        (["new-head", "mine", "--folder", "taken/x"], "taken/x"),
    ],
)
def test_a_file_in_the_way(vit_cli, tmp_path, words, given):
    (tmp_path / "taken").touch()
    fix = "Fix: choose another folder, or allow writing there."
    text = f"error[environment]: {given} cannot be written: taken is a file. {fix}\n"
    assert vit_cli(*words) == (6, "", text)


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS])
def test_what_the_system_refuses_later_has_no_number(capsys, number):
    assert exit_code_of(OSError(number, "Not allowed", "out/x.csv"), debug=False) == 6
    fix = "Fix: allow this user to use it, or choose another place."
    assert capsys.readouterr().err == f"error[environment]: out/x.csv: Not allowed. {fix}\n"
