"""nnU-Net's plans alone: made where they are missing, and those that a training takes."""

import pytest

from nnunet_vit.data.dataset import find_dataset
from nnunet_vit.data.preprocessing import planned_sizes
from nnunet_vit.errors import DataError

pytestmark = pytest.mark.unit

CASES = list("abcdef")


@pytest.fixture
def planned(monkeypatch, said):
    """`planned()` plans as `vit_cli plan` does; its list `checked` has a name for each check."""
    checked = []
    monkeypatch.setattr(
        planned_sizes,
        "check_training_files",
        lambda dataset, vit_patch, progress, take: checked.append((dataset.name, vit_patch)),
    )

    def run():
        return planned_sizes.planned(find_dataset(5), "2d", 16, progress=said)

    run.checked = checked
    return run


def test_a_training_takes_the_plans(raw, nnunet, planned, again):
    plans, own = planned()
    assert nnunet == ["plan"] and planned.checked == [("Dataset005_Mine", 16)]
    assert own["patch_size"] == [32, 32] and plans["cases"] == 6
    assert planned() == (plans, own)
    assert again() == plans
    assert nnunet == ["plan", CASES] and len(planned.checked) == 1


def test_cases_that_came_since_are_planned_for(raw, nnunet, planned, add):
    planned()
    add("g")
    assert planned()[0]["cases"] == 7
    assert nnunet == ["plan", "plan"]


def test_preprocessed_data_are_left_alone(prepared, nnunet, planned):
    before = {path: path.read_bytes() for path in prepared.rglob("*") if path.is_file()}
    planned()
    assert nnunet == planned.checked == []
    assert {path: path.read_bytes() for path in prepared.rglob("*") if path.is_file()} == before


def test_data_that_differ_are_refused_as_in_a_training(prepared, planned, raw):
    (raw / "imagesTr/a_0000.png").write_bytes(b"another picture")
    with pytest.raises(DataError, match="a"):
        planned()


def test_lost_plans_are_made_and_their_data_again(prepared, nnunet, planned, again):
    (prepared / "nnUNetPlans.json").unlink()
    planned()
    assert nnunet == ["plan"]
    again()
    assert nnunet in (["plan"], ["plan", CASES])
    assert len([*prepared.glob("nnUNetPlans_2d/*.pkl")]) == len(CASES)
