"""A folder of masks that is predicted into twice: what is replaced and what stays is said."""

import pytest

from nnunet_vit.inference.earlier_masks import of_earlier_prediction

pytestmark = pytest.mark.unit


@pytest.fixture
def said(tmp_path):
    """`said("a.png", "b.png")` returns what is said before a and c are written beside these."""

    def lines(*there):
        for name in there:
            (tmp_path / name).touch()
        expected = [tmp_path / "a.png", tmp_path / "c.png"]
        return [line.replace(str(tmp_path), "M") for line in
                of_earlier_prediction(tmp_path, expected, ".png")]  # fmt: skip

    return lines


def test_nothing_is_said_of_a_new_folder(said):
    assert said() == []


def test_nothing_is_said_of_what_is_no_mask(said):
    assert said("dataset.json", "summary.json", "._a.png") == []


def test_masks_that_are_replaced(said):
    assert said("a.png") == ["Replaced in M: 1 earlier mask."]


def test_scores_of_masks_that_are_replaced(said):
    (line,) = said("a.png", "c.png", "summary.json")
    assert line == (
        "Replaced in M: 2 earlier masks; M/summary.json is of these, not of the new ones."
    )


def test_masks_that_stay(said):
    assert said("a.png", "b.png", "d.png")[1] == (
        "Left in M: b.png, d.png, of an earlier prediction; evaluate takes them for new."
    )
