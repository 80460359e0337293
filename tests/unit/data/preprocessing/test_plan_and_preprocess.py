"""Plans and preprocessed data that are there already, and what is refused without a planning."""

import json

import pytest
from PIL import Image
from small_plans import CONFIGURATION, plans_of

from nnunet_vit.data.dataset import find_dataset
from nnunet_vit.data.preprocessing.plan_and_preprocess import prepare
from nnunet_vit.errors import ConfigError, DataError
from nnunet_vit.report.progress import Progress

pytestmark = pytest.mark.unit

PLANS = plans_of(
    "Dataset005_Mine",
    **{
        "2d": {**CONFIGURATION, "patch_size": [32, 32]},
        "2d_small": {"inherits_from": "2d", "patch_size": [16, 16]},
        "3d_fullres": {"patch_size": [8, 8, 8], "architecture": {"network_class_name": "x"}},
    },
)


@pytest.fixture
def preprocessed(write_dataset):
    """A dataset of three cases with plans and preprocessed data, and no raw data."""
    folder = write_dataset(place="preprocessed")
    (folder / "nnUNetPlans.json").write_text(json.dumps(PLANS))
    (folder / "dataset_fingerprint.json").write_text('{"shapes_after_crop": []}')
    for inner in ("nnUNetPlans_2d", "gt_segmentations"):
        (folder / inner).mkdir()
    for case in "abc":
        (folder / "nnUNetPlans_2d" / f"{case}.pkl").touch()
        Image.new("L", (4, 4)).save(folder / "gt_segmentations" / f"{case}.png")
    return folder


def refusal(error, configuration="2d"):
    with pytest.raises(error) as caught:
        prepare(find_dataset(5), configuration, Progress())
    return str(caught.value)


@pytest.mark.parametrize("configuration", ["2d", "2d_small"])
def test_what_is_there_is_used(preprocessed, configuration, said):
    assert prepare(find_dataset(5), configuration, said) == PLANS
    assert said.lines == []


def test_plans_without_raw_data_cannot_be_made(write_dataset):
    folder = write_dataset(place="preprocessed")
    assert refusal(DataError) == (
        f"{folder / 'nnUNetPlans.json'} is missing and there are no raw data of Dataset005_Mine "
        "to make it from."
    )


@pytest.mark.parametrize("lost", ["nnUNetPlans_2d/b.pkl", "gt_segmentations/c.png"])
def test_cases_that_a_killed_run_left_out(preprocessed, lost):
    (preprocessed / lost).unlink()
    assert refusal(DataError) == (
        f"{preprocessed / 'nnUNetPlans_2d'} is missing and there are no raw data of "
        "Dataset005_Mine to make it from."
    )


def test_an_unknown_configuration(preprocessed):
    assert refusal(ConfigError, "2D") == (
        "data.configuration: the plans have no configuration '2D'; "
        "they have: 2d, 2d_small, 3d_fullres."
    )


def test_a_configuration_in_3d(preprocessed):
    assert refusal(ConfigError, "3d_fullres") == (
        "data.configuration: '3d_fullres' is 3D, a ViT here sees 2D slices; "
        "2D configurations: 2d, 2d_small."
    )


def test_what_nnunet_says_about_a_bad_file_is_shown(write_dataset, said):
    """Empty files are no images: nnU-Net's reader finds out."""
    write_dataset(cases="abcde")
    with pytest.raises(DataError) as caught:
        prepare(find_dataset(5), "2d", said)
    assert str(caught.value).startswith("nnU-Net refuses Dataset005_Mine: ")
    assert len(said.lines) == 1
    assert said.lines[0].startswith("Planning Dataset005_Mine: ")
