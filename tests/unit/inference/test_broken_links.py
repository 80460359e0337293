"""Links to nothing, as git-annex and DataLad leave them: each is named, none is left out."""

import json
import os
from types import SimpleNamespace

import numpy as np
import pytest
from fold_cases import checked_fold
from PIL import Image

from nnunet_vit.data.case_files import files_of
from nnunet_vit.data.checking.training_files import check_training_files
from nnunet_vit.data.dataset import find_dataset
from nnunet_vit.data.preprocessing.preprocessed import DataFolder
from nnunet_vit.data.preprocessing.raw_files import changes, states_of
from nnunet_vit.errors import DataError
from nnunet_vit.evaluation.evaluate import evaluate_folder
from nnunet_vit.files.integrity import FETCH, broken_link, flaw_of
from nnunet_vit.inference.inputs import sound_inputs
from nnunet_vit.report.progress import Progress

pytestmark = pytest.mark.unit

ANNEXED = "../.git/annex/objects/Xx/Yy/MD5E-s9--0/MD5E-s9--0"
UNFETCHED = "is a link to nothing: git-annex has not fetched its content"
REMEDY = "make it lead to the file, or put the file there"
GREY = np.eye(24, dtype=np.uint8)
PLANS = {
    "image_reader_writer": "NaturalImage2DIO",
    "transpose_forward": [0, 1, 2],
    "original_median_spacing_after_transp": [999.0, 1.0, 1.0],
}


def broken(file, target=ANNEXED):
    file.unlink(missing_ok=True)
    file.symlink_to(target)
    return file


@pytest.fixture
def raw(write_dataset):
    """A raw dataset of three grey pictures with masks of one class; returns its folder."""
    folder = write_dataset(channel_names={"0": "R"}, labels={"background": 0, "disc": 1})
    for file in folder.rglob("*.png"):
        Image.fromarray(GREY).save(file)
    return folder


def refusal():
    with pytest.raises(DataError) as caught:
        check_training_files(find_dataset(5), 16, Progress())
    return str(caught.value)


@pytest.mark.parametrize(
    ("target", "problem", "remedy"),
    [
        ("none.png", "is a link to nothing", REMEDY),
        (ANNEXED, UNFETCHED, FETCH),
        ("hop.png", UNFETCHED, FETCH),
        ("a.png", "is a link that leads back to itself", "put the file in its place"),
    ],
)
def test_what_is_wrong_with_a_link(tmp_path, target, problem, remedy):
    broken(tmp_path / "hop.png")
    file = broken(tmp_path / "a.png", target)
    assert flaw_of(file, ".png") == broken_link(file) == (problem, remedy)


def test_a_link_to_a_file_and_what_is_no_link_are_not_broken(tmp_path):
    Image.fromarray(GREY).save(tmp_path / "a.png")
    file = broken(tmp_path / "b.png", "a.png")
    assert flaw_of(file, ".png") == broken_link(tmp_path / "none.png") == ("", "")


def test_an_unlocked_file_that_git_annex_has_not_fetched(tmp_path):
    (tmp_path / "a.png").write_text("/annex/objects/MD5E-s9--0.png\n")
    problem = "is a pointer of git-annex, not the file itself"
    assert flaw_of(tmp_path / "a.png", ".png") == (problem, FETCH)


def test_they_are_files_of_a_folder_and_links_to_folders_are_not(tmp_path):
    broken(tmp_path / "a.png")
    broken(tmp_path / "b.png", "b.png")
    broken(tmp_path / "c.png", tmp_path)
    assert [file.name for file in files_of(tmp_path, ".png")] == ["a.png", "b.png"]


def test_a_case_whose_image_and_label_are_not_fetched_is_no_smaller_dataset(raw):
    image, label = broken(raw / "imagesTr/b_0000.png"), broken(raw / "labelsTr/b.png")
    text = refusal()
    assert f"{image} {UNFETCHED}. Fix: {FETCH}." in text
    assert f"{label} {UNFETCHED}. Fix: {FETCH}." in text


@pytest.mark.parametrize("target", [ANNEXED, "none.png", "a_0000.png"])
def test_one_image(raw, target):
    image = broken(raw / "imagesTr/a_0000.png", target)
    problem, remedy = broken_link(image)
    assert refusal() == f"{image} {problem}. Fix: {remedy}."


def test_all_of_them_are_named_with_their_remedy(raw):
    for file in raw.rglob("*.png"):
        broken(file)
    text = refusal()
    assert f"{raw / 'imagesTr'}: a_0000.png, b_0000.png, c_0000.png: each {UNFETCHED}." in text
    assert f"{raw / 'labelsTr'}: a.png, b.png, c.png: each {UNFETCHED}. Fix: {FETCH}." in text


def test_files_that_dataset_json_lists(raw):
    listed = {case: {"images": [f"imagesTr/{case}_0000.png"], "label": f"labelsTr/{case}.png"}
              for case in "abc"}  # fmt: skip
    content = json.loads((raw / "dataset.json").read_text()) | {"dataset": listed}
    (raw / "dataset.json").write_text(json.dumps(content))
    image = broken(raw / "imagesTr/a_0000.png")
    assert refusal() == f"{image} {UNFETCHED}. Fix: {FETCH}."


def test_dataset_json_itself(raw):
    file = broken(raw / "dataset.json")
    assert refusal() == f"{file} {UNFETCHED}. Fix: {FETCH}."


def test_a_file_that_was_there_when_it_was_preprocessed(raw):
    files = {"a": (raw / "imagesTr/a_0000.png", raw / "labelsTr/a.png")}
    recorded = states_of(files)
    broken(raw / "imagesTr/a_0000.png")
    assert changes(recorded, files).changed == [f"imagesTr/a_0000.png ({UNFETCHED}: {FETCH})"]
    with pytest.raises(DataError, match=r"Raw files cannot be read: .*has not fetched"):
        states_of(files)


def test_preprocessed_data_that_are_not_there_are_not_made(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/a.pkl").touch()
    broken(tmp_path / "data/b.pkl")
    assert DataFolder(tmp_path, "data").cases() == {"a"}


def test_splits_that_are_not_there_are_not_made_anew(tmp_path):
    file = broken(tmp_path / "splits_final.json")
    with pytest.raises(DataError) as caught:
        checked_fold(file, 0, list("abcdef"))
    assert str(caught.value) == f"{file} {UNFETCHED}. Fix: {FETCH}."


def test_an_image_to_predict(tmp_path):
    Image.fromarray(GREY).save(tmp_path / "a_0000.png")
    image = broken(tmp_path / "b_0000.png")
    model = SimpleNamespace(
        path=tmp_path,
        description={"file_ending": ".png", "labels": {"background": 0, "disc": 1},
                     "channel_names": {"0": "R"}},
        plans=PLANS,
        configuration={"spacing": [1.0, 1.0], "normalization_schemes": ["ZScoreNormalization"]},
    )  # fmt: skip
    inputs = sound_inputs(tmp_path, model, Progress())
    assert list(inputs.cases) == ["a"]
    assert str(inputs.faults["b"]) == f"{image} {UNFETCHED}. Fix: {FETCH}."


@pytest.mark.parametrize("folder", ["predictions", "references"])
def test_a_mask_to_evaluate(tmp_path, folder):
    for name in ("predictions", "references"):
        os.mkdir(tmp_path / name)
        for case in "ab":
            Image.fromarray(GREY).save(tmp_path / name / f"{case}.png")
    mask = broken(tmp_path / folder / "b.png")
    description = {"file_ending": ".png", "labels": {"background": 0, "disc": 1}}
    (tmp_path / "predictions/dataset.json").write_text(json.dumps(description))
    (tmp_path / "predictions/plans.json").write_text(json.dumps({"configurations": {}}))
    with pytest.raises(DataError) as caught:
        evaluate_folder(tmp_path / "predictions", tmp_path / "references", Progress())
    assert str(caught.value) == f"{mask} {UNFETCHED}. Fix: {FETCH}."
