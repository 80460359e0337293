"""Truncated and otherwise wrong JSON beside the preprocessed data: named, with what to do."""

import json
import shutil

import pytest

from nnunet_vit.data.dataset import find_dataset
from nnunet_vit.data.preprocessing.dataset_plans import plans_of
from nnunet_vit.errors import DataError
from nnunet_vit.nnunet.plans_file import read_plans

pytestmark = pytest.mark.unit

CONTENTS = [
    b"",
    b'{"configurations": {"2d"',
    b"[{}]",
    b"null",
    b'"plans"',
    b"\xff\xfe",
    b'{"configurations": []}',
    b'{"configurations": {"2d": null}}',
    b"[" * 100_000,
]


def refused(call, *parts):
    with pytest.raises(DataError) as caught:
        call()
    for part in parts:
        assert str(part) in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("content", CONTENTS)
@pytest.mark.parametrize(
    "name", ["nnUNetPlans.json", "nnUNetPlans_2d.record.json", "splits_final.json"]
)
def test_a_damaged_file_is_named_with_what_to_do(prepared, again, nnunet, content, name):
    from fold_cases import checked_fold

    path = prepared / name
    path.write_bytes(content)
    call = again if name != "splits_final.json" else lambda: checked_fold(path, 0, list("abcdef"))
    refused(call, path, "Fix: ")
    assert nnunet == []


@pytest.mark.parametrize("content", [*CONTENTS, b'{"labels": [], "channel_names": {}}'])
@pytest.mark.parametrize("name", ["dataset.json", "dataset_fingerprint.json"])
def test_a_damaged_description_or_fingerprint(prepared, again, nnunet, content, name):
    (prepared / name).write_bytes(content)
    refused(again, prepared / name, "--preprocess-again")


@pytest.mark.parametrize("name", ["dataset.json", "dataset_fingerprint.json"])
def test_a_missing_description_or_fingerprint(prepared, again, name):
    (prepared / name).unlink()
    refused(again, prepared / name, "--preprocess-again")


@pytest.mark.parametrize("content", CONTENTS)
def test_again_mends_damaged_files(prepared, again, nnunet, content):
    for name in ("nnUNetPlans.json", "dataset.json", "dataset_fingerprint.json"):
        (prepared / name).write_bytes(content)
    again(again=True)
    assert nnunet == ["plan", list("abcdef")]


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("patch_size", None, "patch_size is 'None', needed: a list of integers above 0"),
        ("patch_size", [0, 32], "patch_size is '[0, 32]', needed: a list of integers above 0"),
        ("patch_size", [32.5, 32], "patch_size is '[32.5, 32]'"),
        ("patch_size", "32", "patch_size is '32'"),
        ("data_identifier", "../x", "data_identifier is '../x', needed: the name of a folder"),
        ("data_identifier", 5, "data_identifier is '5', needed: the name of a folder"),
        ("batch_size", True, "batch_size is 'True', needed: an integer above 0"),
        ("normalization_schemes", {}, "normalization_schemes is '{}', needed: a list of strings"),
        ("use_mask_for_norm", [1], "use_mask_for_norm is '[1]', needed: a list of booleans"),
        ("spacing", [1, None], "spacing is '[1, None]', needed: a list of numbers above 0"),
        ("architecture", [], "architecture is '[]', needed: an object"),
        ("inherits_from", "2d", "what configuration '2d' inherits from is not there or goes in a"),
        ("inherits_from", "x", "what configuration '2d' inherits from is not there or goes in a"),
        ("inherits_from", [], "what configuration '2d' inherits from is not there or goes in a"),
    ],
)
def test_a_wrong_key_of_the_plans_is_named(prepared, key, value, text):
    path = prepared / "nnUNetPlans.json"
    plans = json.loads(path.read_text())
    plans["configurations"]["2d"][key] = value
    path.write_text(json.dumps(plans))
    error = refused(lambda: plans_of(find_dataset(5), "2d"), path, text, "--preprocess-again")
    assert key in error or "inherits" in error


def test_all_missing_keys_are_named(prepared):
    path = prepared / "nnUNetPlans.json"
    plans = json.loads(path.read_text())
    del plans["plans_name"], plans["transpose_forward"]
    path.write_text(json.dumps(plans))
    refused(lambda: read_plans(path), f"{path}: plans_name is missing; transpose_forward is missin")


def test_plans_of_another_dataset_are_refused(prepared, again):
    path = prepared / "nnUNetPlans.json"
    path.write_text(path.read_text().replace("Dataset005_Mine", "Dataset006_Other"))
    refused(again, f"{path} holds the plans of Dataset006_Other, whose data would be trained on")


def test_a_record_of_a_newer_version_says_update(prepared, again):
    path = prepared / "nnUNetPlans_2d.record.json"
    content = json.loads(path.read_text()) | {"schema": 99, "nnunet_vit": "9.0"}
    path.write_text(json.dumps(content))
    assert refused(again) == (
        f"{path} was written by a newer nnunet-vit (9.0). Fix: update nnunet-vit."
    )


def test_a_label_file_cut_off_beside_the_data_is_copied_again(prepared, again, raw, nnunet, said):
    copy = prepared / "gt_segmentations" / "b.png"
    copy.write_bytes(copy.read_bytes()[:-1])
    again()
    assert copy.read_bytes() == (raw / "labelsTr" / "b.png").read_bytes()
    assert len(list(copy.parent.iterdir())) == 6
    assert nnunet == []


def test_without_raw_data_a_label_file_cut_off_is_refused(prepared, again, raw, real_truth):
    shutil.rmtree(raw)
    again()
    copy = prepared / "gt_segmentations" / "b.png"
    copy.write_bytes(copy.read_bytes()[:-9])
    refused(again, f"{copy} is cut off", "Fix: put the label file there again")
