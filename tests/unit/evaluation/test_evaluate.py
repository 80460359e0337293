"""Dice of masks by nnU-Net's own evaluation, and folders that do not pair."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from nnunet_vit.errors import DataError, ModelError
from nnunet_vit.evaluation.evaluate import Scores, evaluate_folder
from nnunet_vit.report.progress import Progress

pytestmark = pytest.mark.unit

PLANS = {"plans_name": "x", "configurations": {}}


def Silent():
    return Progress()


@pytest.fixture
def masks(tmp_path):
    """`masks(labels)` writes two cases: the disc is half right in one and right in the other."""

    def write(labels, **more):
        from skimage.io import imsave

        truth, wrong = np.zeros((8, 8), np.uint8), np.zeros((8, 8), np.uint8)
        truth[2:4], truth[6], wrong[3:5], wrong[6] = 1, 2, 1, 2
        content = {"predictions": {"a": wrong, "b": truth}, "references": {"a": truth, "b": truth}}
        for folder, cases in content.items():
            (tmp_path / folder).mkdir()
            for case, mask in cases.items():
                imsave(tmp_path / folder / f"{case}.png", mask, check_contrast=False)
        description = {"labels": labels, "file_ending": ".png", "channel_names": {"0": "R"}, **more}
        (tmp_path / "predictions" / "dataset.json").write_text(json.dumps(description))
        (tmp_path / "predictions" / "plans.json").write_text(json.dumps(PLANS))
        return tmp_path / "predictions", tmp_path / "references"

    return write


LABELS = {"background": 0, "disc": 1, "cup": 2}


def test_labels(masks):
    scores = evaluate_folder(*masks(LABELS), Silent())
    assert scores.per_class == pytest.approx({"disc": 0.75, "cup": 1.0})
    assert scores.per_case == pytest.approx({"a.png": 0.75, "b.png": 1.0})
    assert scores.mean == pytest.approx(0.875)
    assert scores.summary.is_file()


def test_regions(masks):
    labels = {"background": 0, "whole": [1, 2], "cup": 2}
    scores = evaluate_folder(*masks(labels, regions_class_order=[1, 2]), Silent())
    assert list(scores.per_class) == ["whole", "cup"]
    assert scores.per_class["cup"] == pytest.approx(1.0)
    assert scores.per_class["whole"] == pytest.approx((32 / 48 + 1) / 2)


def refusal(folders):
    with pytest.raises(DataError) as caught:
        evaluate_folder(*folders, Silent())
    return str(caught.value)


@pytest.mark.parametrize("name", ["dataset.json", "plans.json"])
def test_a_folder_that_no_prediction_wrote(masks, name):
    predictions, references = masks(LABELS)
    (predictions / name).unlink()
    assert refusal((predictions, references)) == (
        f"{predictions / name} is missing. Fix: --model FOLDER, the model that predicted the "
        "masks. (`vit_cli predict` writes dataset.json and plans.json beside its masks.)"
    )


def test_folders_that_do_not_exist(tmp_path):
    missing = tmp_path / "none"
    assert refusal((missing, missing)) == f"-p {missing} is missing."
    assert refusal((tmp_path, missing)) == f"-r {missing} is missing."


@pytest.mark.parametrize(("lacking", "other"), [(0, 1), (1, 0)])
def test_masks_without_a_partner(masks, lacking, other):
    folders = masks(LABELS)
    (folders[lacking] / "a.png").unlink()
    assert refusal(folders) == (
        f"{folders[lacking]} lacks 1 of 2 masks: a.png. Fix: add them, or move the masks of other "
        "cases away."
    )


def test_no_masks_at_all(masks):
    folders = masks(LABELS)
    for case in "ab":
        (folders[1] / f"{case}.png").unlink()
    assert refusal(folders) == f"{folders[1]} holds no mask *.png."


def test_the_summary_is_nnunets_own_byte_for_byte(masks, tmp_path, monkeypatch):
    from multiprocessing import dummy

    from nnunetv2.evaluation import evaluate_predictions

    labels = {"background": 0, "whole": [1, 2], "cup": 2, "never": 3, "ignore": 4}
    predictions, references = masks(labels, regions_class_order=[1, 2, 3])
    evaluate_folder(predictions, references, Silent())
    ours = (predictions / "summary.json").read_bytes()
    threads = SimpleNamespace(Pool=dummy.Pool)  # a process would load torch
    context = SimpleNamespace(get_context=lambda kind: threads)
    monkeypatch.setattr(evaluate_predictions, "multiprocessing", context)
    evaluate_predictions.compute_metrics_on_folder2(
        str(references), str(predictions), str(predictions / "dataset.json"),
        str(predictions / "plans.json"), str(tmp_path / "theirs.json"),
    )  # fmt: skip
    assert ours == (tmp_path / "theirs.json").read_bytes()


@pytest.mark.parametrize("which", [0, 1])
def test_masks_that_are_none_are_all_named_and_no_summary_is_written(masks, which):
    from skimage.io import imsave

    folders = masks(LABELS)
    for case, value in (("a", 255), ("b", 9)):
        imsave(
            folders[which] / f"{case}.png", np.full((8, 8), value, np.uint8), check_contrast=False
        )
    text = refusal(folders)
    assert text.splitlines()[0] == f"{folders[0]} and {folders[1]}: 2 problems"
    assert f"{folders[which] / 'a.png'} holds the value 255; dataset.json knows 0, 1, 2." in text
    assert f"{folders[which] / 'b.png'} holds the value 9; dataset.json knows 0, 1, 2." in text
    assert not (folders[0] / "summary.json").exists()


def test_an_rgb_reference_is_no_perfect_prediction(masks):
    from skimage.io import imread, imsave

    folders = masks(LABELS)
    for case in "ab":
        mask = imread(folders[0] / f"{case}.png")
        imsave(folders[1] / f"{case}.png", np.stack([mask] * 3, -1), check_contrast=False)
    assert refusal(folders) == (
        f"{folders[1]}: a.png, b.png: each has 3 colour channels, a mask has one. "
        "Fix: its colours are equal: save one of them as grey."
    )


def test_a_reference_of_another_size(masks):
    from skimage.io import imsave

    folders = masks(LABELS)
    imsave(folders[1] / "b.png", np.zeros((70, 60), np.uint8), check_contrast=False)
    assert refusal(folders).startswith(
        f"{folders[1] / 'b.png'} is 70 x 60 pixels, its prediction in {folders[0]} 8 x 8 pixels. "
    )


def test_a_truncated_prediction_leaves_an_older_summary_alone(masks):
    folders = masks(LABELS)
    (folders[0] / "summary.json").write_text("older")
    file = folders[0] / "a.png"
    file.write_bytes(file.read_bytes()[:40])
    assert refusal(folders).startswith(f"{file} is cut off: ")
    assert (folders[0] / "summary.json").read_text() == "older"


def test_references_of_another_ending(masks):
    folders = masks(LABELS)
    for case in "ab":
        (folders[1] / f"{case}.png").rename(folders[1] / f"{case}.bmp")
    assert refusal(folders) == (
        f"{folders[1]} holds no mask *.png; it holds 2 files *.bmp. Fix: convert the masks to "
        ".png, without loss; dataset.json says that they end so."
    )


@pytest.mark.parametrize(
    ("cases", "text"),
    [
        (
            "ab",
            "holds no mask *.png; it holds 2 files *.PNG. Fix: rename them to *.png; capital "
            "letters count.",
        ),
        (
            "b",
            "lacks 1 of 2 masks: b.png. Fix: rename b.PNG to b.png; capital letters count.",
        ),
    ],
)
def test_references_that_end_in_capital_letters(masks, cases, text):
    folders = masks(LABELS)
    for case in cases:
        (folders[1] / f"{case}.png").rename(folders[1] / f"{case}.PNG")
    assert refusal(folders) == f"{folders[1]} {text}"


def test_references_with_channel_numbers(masks):
    folders = masks(LABELS)
    for case in "ab":
        (folders[1] / f"{case}.png").rename(folders[1] / f"{case}_0000.png")
    text = refusal(folders)
    assert f"{folders[1]} lacks 2 of 2 masks: a.png, b.png. Fix: masks have no channel" in text
    assert "is a_0000.png an image? Else rename it to a.png" in text


def test_the_same_folder_twice(masks):
    predictions, _ = masks(LABELS)
    assert refusal((predictions, predictions)) == (
        f"-p and -r are the same folder, {predictions}: every Dice would be 1. Fix: -p, "
        "the folder of predicted masks; -r, the folder of true ones."
    )


def test_files_of_other_programs_are_no_masks(masks):
    folders = masks(LABELS)
    for folder in folders:
        (folder / "._a.png").write_bytes(b"Mac OS X")
        (folder / ".DS_Store").touch()
    assert len(evaluate_folder(*folders, Silent()).per_case) == 2


def test_the_validation_of_a_fold_finds_the_files_of_its_model(masks, tmp_path, said):
    predictions, references = masks(LABELS)
    model = tmp_path / "model"
    validation = model / "fold_0" / "validation"
    validation.mkdir(parents=True)
    (predictions / "a.png").rename(validation / "a.png")
    for name in ("dataset.json", "plans.json"):
        (predictions / name).rename(model / name)
    scores = evaluate_folder(validation, references, said)
    assert scores.per_case == pytest.approx({"a.png": 0.75})
    assert f"{validation}: validation of 1 case; 1 true mask of other cases left out." in said.lines


def test_masks_from_elsewhere_with_a_model(masks, tmp_path):
    predictions, references = masks(LABELS)
    model = tmp_path / "model"
    model.mkdir()
    with pytest.raises(ModelError, match="is no model folder: plans"):
        evaluate_folder(predictions, references, Silent(), model=model)
    for name in ("dataset.json", "plans.json"):
        (predictions / name).rename(model / name)
    assert evaluate_folder(predictions, references, Silent(), model=model).mean > 0.8


@pytest.mark.parametrize("content", ["", "[]", "{", '{"labels": []}', "null"])
def test_a_damaged_description_beside_the_masks(masks, content):
    predictions, references = masks(LABELS)
    (predictions / "dataset.json").write_text(content)
    with pytest.raises(ModelError) as caught:
        evaluate_folder(predictions, references, Silent())
    assert str(caught.value).startswith(f"{predictions / 'dataset.json'} ")


@pytest.mark.parametrize("labels", [{"background": 0, "x": "one"}, {"background": 0, "x": None}])
def test_labels_that_are_no_numbers(masks, labels):
    predictions, references = masks(LABELS)
    description = {"labels": labels, "file_ending": ".png", "channel_names": {"0": "R"}}
    (predictions / "dataset.json").write_text(json.dumps(description))
    assert refusal((predictions, references)).startswith(f"{predictions / 'dataset.json'}: labels")


def test_references_that_lie_elsewhere_are_told(masks, tmp_path, said):
    import SimpleITK

    predictions, references = masks(LABELS)
    description = {"labels": LABELS, "file_ending": ".nii.gz", "channel_names": {"0": "CT"}}
    (predictions / "dataset.json").write_text(json.dumps(description))
    for folder, origin in ((predictions, (0, 0, 0)), (references, (0, 0, 5))):
        image = SimpleITK.GetImageFromArray(np.ones((3, 4, 5), np.uint8))
        image.SetOrigin(origin)
        SimpleITK.WriteImage(image, str(folder / "v.nii.gz"))
    assert evaluate_folder(predictions, references, said).per_class["disc"] == 1
    assert any(line.startswith("1 of 1 references have another origin") for line in said.lines)


def test_a_class_in_no_mask_is_named_beside_the_mean(masks):
    scores = evaluate_folder(*masks({**LABELS, "drusen": 3}), Silent())
    first = scores.as_text().splitlines()[0]
    assert first == "Dice on 2 cases: mean 0.875 (without drusen: in no mask, which is no value)"
    dice = scores.measurement.metrics[0]
    assert scores.measurement.mean_of_classes(dice) == pytest.approx(0.875)


def test_the_scores_as_text(tmp_path):
    scores = Scores(0.8754, {"disc": 0.75, "cup": 1.0}, {"a": 0.7, "b": 0.9}, tmp_path / "s.json")
    assert scores.as_text() == (
        f"Dice on 2 cases: mean 0.875\n  disc: 0.750\n  cup: 1.000\nPer case: {tmp_path}/s.json"
    )
