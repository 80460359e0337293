"""vit_cli show-batch before any data are looked at."""

import numpy as np
import pytest
from PIL import Image

from nnunet_vit.files.own_picture import write_picture

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["-o", "x.jpg"], "-o x.jpg: given .jpg; allowed: .png."),
        (["-o", "x"], "-o x: given no ending; allowed: .png."),
        (["-o", "none/x.png"], "-o none/x.png: there is no folder none. Fix: make it."),
        (["-o", "is.png"], "-o is.png is a folder. Fix: the name of a picture in it."),
        (
            [],
            "Neither a dataset nor a run file is given. "
            "Fix: vit_cli show-batch 502, or --config run.yaml",
        ),
    ],
)
def test_what_is_wrong_is_said_at_once(vit_cli, tmp_path, monkeypatch, words, text):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "is.png").mkdir()
    assert vit_cli("show-batch", *words) == (2, "", f"error[config]: {text}\n")


@pytest.mark.parametrize("kind", ["picture", "text", "empty"])
def test_a_file_of_somebody_else_is_not_written_over(vit_cli, tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "x.png"
    file.write_bytes(b"text" if kind == "text" else b"")
    if kind == "picture":
        Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(file)
    before = file.read_bytes()
    code, _, errors = vit_cli("show-batch", "-o", "x.png")
    assert (code, file.read_bytes()) == (2, before)
    assert "-o x.png is a file that vit_cli did not write" in errors


def test_an_own_picture_may_be_written_over(vit_cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_picture(np.zeros((4, 4, 3), np.uint8), tmp_path / "x.png")
    assert Image.open(tmp_path / "x.png").info["Software"] == "nnunet-vit"
    assert "Neither a dataset nor a run file" in vit_cli("show-batch", "-o", "x.png")[2]
