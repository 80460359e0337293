"""history.csv: what is written is read again, and a damaged one costs nothing."""

import pytest

from nnunet_vit.checkpoints.history_file import (
    NAME,
    columns_of,
    look_at_history,
    read_history,
    write_history,
)

pytestmark = pytest.mark.unit


def test_what_is_written_is_read(tmp_path):
    rows = [{"epoch": 1, "train_loss": -0.25, 'dice:a,"b': 0.5}, {"epoch": 2, "more": 1}]
    path = write_history(tmp_path, ['a,"b'], rows)
    assert path == tmp_path / "history.csv"
    first, second = read_history(tmp_path)
    assert list(first) == columns_of(['a,"b'])
    assert (first["train_loss"], first['dice:a,"b'], first["finished"]) == ("-0.25", "0.5", "")
    assert second["epoch"] == "2"
    assert look_at_history(tmp_path) == ([first, second], "")


@pytest.mark.parametrize("text", [None, "", "epoch\n", "epoch,dice\n1", "epoch,dice\nx,0\n", "\0"])
def test_no_history(tmp_path, text):
    if text is not None:
        (tmp_path / NAME).write_text(text)
    assert read_history(tmp_path) == []


def test_no_text(tmp_path):
    (tmp_path / NAME).write_bytes(b"\xff\xfe")
    assert read_history(tmp_path) == []


@pytest.mark.parametrize(
    ("text", "rows", "flaw"),
    [
        ("epoch,dice\n1,0.5\n2,0.", 2, "is damaged or cut off after 2 whole rows"),
        ("epoch,dice\n1,0.5\n2\n", 1, "is damaged or cut off after 1 whole row"),
        ("epoch,dice\n1,0.5,7\n", 0, "is damaged or cut off after 0 whole rows"),
        ("dice\n0.5\n", 0, "is damaged: its first line does not name the columns"),
        (f"epoch,dice\n1,{'9' * 200_000}\n", 0, "is damaged: it is no table"),
        ("epoch,dice\n", 0, ""),
    ],
)
def test_what_is_wrong_is_told(tmp_path, text, rows, flaw):
    (tmp_path / NAME).write_text(text)
    found = look_at_history(tmp_path)
    assert (len(found[0]), found[1]) == (rows, flaw)
