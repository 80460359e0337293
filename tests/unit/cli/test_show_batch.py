"""vit_cli show-batch before any data are looked at."""

import pytest

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["-o", "x.jpg"], "-o x.jpg: given .jpg; allowed: .png."),
        (["-o", "x"], "-o x: given no ending; allowed: .png."),
        (["-o", "none/x.png"], "-o none/x.png: there is no folder none. Fix: make it."),
        (["-o", "is.png"], "-o is.png is a folder. Fix: the name of a picture in it."),
        ([], "No run file is given. Fix: vit_cli show-batch --config run.yaml"),
    ],
)
def test_what_is_wrong_is_said_at_once(vit_cli, tmp_path, monkeypatch, words, text):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "is.png").mkdir()
    assert vit_cli("show-batch", *words) == (2, "", f"error[config]: {text}\n")
