"""From whichever folder of a run was named: its masks, folds, model and images."""

import shutil

import pytest
from report_runs import CASES

from nnunet_vit.errors import ConfigError, DataError, ModelError
from nnunet_vit.evaluation.reporting.run_source import open_source

pytestmark = pytest.mark.unit
EVEN, ODD = CASES[::2], CASES[1::2]


def opened(path, folds=None, references=None):
    return open_source(path, folds, references)


def test_a_model_folder(model_run):
    folder = model_run()
    source = opened(folder)
    assert (source.folds, sorted(source.results.masks)) == ((0, 1), list(CASES))
    assert source.folds_of_cases() == {case: str(n % 2) for n, case in enumerate(CASES)}
    assert [path.name for path in source.fold_folders()] == ["fold_0", "fold_1"]
    assert opened(folder, [1]).folds == (1,)


@pytest.mark.parametrize("part", ["fold_1", "fold_1/validation"])
def test_a_fold(model_run, part):
    source = opened(model_run() / part)
    assert (source.folds, sorted(source.results.masks)) == ((1,), list(ODD))
    assert source.model is not None


def test_merged_validations(model_run):
    folder = model_run()
    merged = folder / "crossval_results_folds_0_1"
    merged.mkdir()
    for file in [*folder.glob("*.json"), *folder.glob("fold_*/validation/*.png")]:
        shutil.copy(file, merged)
    with pytest.raises(DataError, match="No folder of true masks is known"):
        opened(merged)
    source = opened(merged, references=folder.parent / "raw/Dataset005_Eyes/labelsTr")
    assert (source.folds, source.model) == ((0, 1), folder)
    assert set(source.folds_of_cases().values()) == {"0", "1"}


def test_masks_alone(model_run):
    folder = model_run()
    references = folder.parent / "raw/Dataset005_Eyes/labelsTr"
    masks = folder.parent / "masks"
    shutil.copytree(folder / "fold_0/validation", masks)
    for file in folder.glob("*.json"):
        shutil.copy(file, masks)
    source = opened(masks, references=references)
    assert (source.folds, source.model, source.folds_of_cases()) == ((), None, {})
    assert sorted(source.results.masks) == list(EVEN)
    assert sorted(source.images(None)) == list(CASES)  # beside the references


def test_images_of_the_raw_dataset(model_run, monkeypatch):
    folder = model_run()
    raw = folder.parent / "raw"
    labels = folder.parent / "preprocessed/Dataset005_Eyes/gt_segmentations"
    shutil.copytree(raw / "Dataset005_Eyes/labelsTr", labels)
    source = opened(folder, references=labels)
    assert source.images(None)["eye_0"] == raw / "Dataset005_Eyes/imagesTr/eye_0_0000.png"
    monkeypatch.delenv("nnUNet_raw")
    assert opened(folder, references=labels).images(None) == {}
    (folder / "fold_1/run.yaml").write_text(f"paths: {{raw: {raw}}}\n")
    assert len(opened(folder, references=labels).images(None)) == len(CASES)
    given = opened(folder, references=labels).images(raw / "Dataset005_Eyes/imagesTr")
    assert sorted(given) == list(CASES)


def test_other_masks_of_the_same_names_have_no_images(model_run):
    folder = model_run()
    raw = folder.parent / "raw/Dataset005_Eyes"
    masks, elsewhere = folder.parent / "masks", folder.parent / "external/masks"
    for place in (masks, elsewhere):
        shutil.copytree(folder / "fold_0/validation", place)
    for file in folder.glob("*.json"):
        shutil.copy(file, masks)
    assert opened(masks, references=elsewhere).images(None) == {}
    elsewhere.with_name("linked").symlink_to(raw / "labelsTr")
    assert len(opened(masks, references=elsewhere.with_name("linked")).images(None)) == len(CASES)
    planned = folder.parent / "preprocessed/Dataset005_Eyes/gt_segmentations"
    shutil.copytree(raw / "labelsTr", planned)
    assert len(opened(masks, references=planned).images(None)) == len(CASES)


@pytest.mark.parametrize("text", ["paths: [", "paths:", "data: {fold: 0}", "", "[1, 2]"])
def test_a_run_file_that_says_nothing_of_images(model_run, monkeypatch, text):
    folder = model_run()
    monkeypatch.delenv("nnUNet_raw")
    labels = folder.parent / "gt_segmentations"
    shutil.copytree(folder.parent / "raw/Dataset005_Eyes/labelsTr", labels)
    (folder / "fold_0/run.yaml").write_text(text)
    assert opened(folder, references=labels).images(None) == {}


def test_what_is_refused(model_run):
    folder = model_run()
    shutil.copytree(folder / "fold_0", folder / "fold_all")
    with pytest.raises(ModelError, match="fold_all is of fold all, which has trained on every"):
        opened(folder / "fold_all")
    with pytest.raises(ConfigError, match=r"--folds goes with a model folder; .*fold_0 is one of"):
        opened(folder / "fold_0", [0])
    with pytest.raises(ModelError, match="not validated: fold 3"):
        opened(folder, [3])
