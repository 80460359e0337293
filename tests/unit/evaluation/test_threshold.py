"""A threshold chosen on training images: the best of all, and never on what it is measured on."""

import csv
import json
import shutil

import numpy as np
import pytest
from mask_folders import folders as folders
from mask_folders import write

from nnunet_vit.errors import ConfigError, DataError
from nnunet_vit.evaluation.evaluate import evaluate_folder
from nnunet_vit.evaluation.threshold import STEPS, Threshold, steps_of
from nnunet_vit.evaluation.wanted import Wanted
from nnunet_vit.report.progress import Progress

pytestmark = pytest.mark.unit

ONE_CLASS = {"background": 0, "vessel": 1}
WANTED = ("dice", "precision", "recall", "auc")


def case(seed, size=24):
    """Return a mask and a probability that finds it best from about 0.3 on."""
    random = np.random.default_rng(seed)
    truth = random.random((size, size)) < 0.3
    found = np.clip(np.where(truth, 0.45, 0.15) + random.normal(0, 0.1, truth.shape), 0, 1)
    return truth, found.astype(np.float32)


def save(folder, name, probability):
    both = np.stack([1 - probability, probability])[:, None]
    np.savez(folder / f"{name}.npz", probabilities=both)


@pytest.fixture
def given(folders, tmp_path):
    """Folders of test predictions, their references, and the validation on training images."""
    test = {f"test_{n}": case(n) for n in range(2)}
    predictions, references = folders(
        {name: found >= 0.5 for name, (_, found) in test.items()},
        {name: truth for name, (truth, _) in test.items()},
        labels=ONE_CLASS,
    )
    for name, (_, found) in test.items():
        save(predictions, name, found)
    training, truths = tmp_path / "training", tmp_path / "truths"
    cases = {f"train_{n}": case(10 + n) for n in range(4)}
    write(training, {name: found >= 0.5 for name, (_, found) in cases.items()})
    write(truths, {name: truth for name, (truth, _) in cases.items()})
    for name, (_, found) in cases.items():
        save(training, name, found)
    entries = [
        {"prediction_file": str(training / f"{name}.png"),
         "reference_file": str(truths / f"{name}.png")}
        for name in cases
    ]  # fmt: skip
    (training / "summary.json").write_text(json.dumps({"metric_per_case": entries}))
    return predictions, references, training, cases, test


def evaluate(given):
    predictions, references, training, *_ = given
    wanted = Wanted(WANTED, threshold_from=training)
    return evaluate_folder(predictions, references, Progress(), wanted=wanted)


def f1(truth, mask):
    return 2 * (truth & mask).sum() / (truth.sum() + mask.sum())


def test_it_is_the_best_of_all_on_the_training_images(given):
    _, _, training, cases, test = given
    scores = evaluate(given)
    truth = np.concatenate([truth.ravel() for truth, _ in cases.values()])
    found = np.concatenate([found.ravel() for _, found in cases.values()])
    tried = {step: f1(truth, steps_of(found) >= step) for step in range(1, STEPS + 1)}
    best = max(tried.values())
    made = scores.measurement.threshold.as_text()
    step = round(float(made.split("from ")[1].split(" on")[0]) * STEPS)
    assert tried[step] == best
    assert made == (
        f"Masks: a probability from {step / STEPS:g} on, the threshold with the highest F1 "
        f"({best:.3f}) of all pixels of 4 training images of {training}."
    )
    expected = [f1(truth, steps_of(found) >= step) for truth, found in test.values()]
    assert list(scores.per_case.values()) == pytest.approx(expected)
    pooled = scores.measurement.statistics["vessel"]["dice"].pooled
    truth, found = (np.concatenate([pair[i].ravel() for pair in test.values()]) for i in (0, 1))
    assert pooled == pytest.approx(f1(truth, steps_of(found) >= step))


def test_the_files_are_others(given):
    predictions = given[0]
    scores = evaluate(given)
    names = [file.name for file in scores.files]
    assert names == ["metrics_threshold.csv", "metrics_threshold.json"]
    assert not (predictions / "summary.json").exists()
    assert scores.summary == scores.files[0]
    content = json.loads(scores.files[1].read_text())
    made = scores.measurement.threshold
    assert content["options"]["threshold"] == {
        "probability": made.value,
        "f1_on_training_images": made.f1,
        "training_images": 4,
        "source": str(given[2]),
    }
    with scores.files[0].open() as file:
        rows = list(csv.DictReader(file))
    assert {row["case"] for row in rows} == {"test_0", "test_1"}
    assert {float(row["threshold"]) for row in rows} == {made.value}
    first, second, *_ = scores.as_text().splitlines()
    assert first.startswith(f"Dice on 2 cases at the threshold {made.value:g}: mean 0.")
    assert second == made.as_text()


def test_measured_images_are_refused_as_training_images(given):
    _, references, training, *_ = given
    entries = json.loads((training / "summary.json").read_text())["metric_per_case"]
    entries[0]["reference_file"] = str(references / "test_0.png")
    (training / "summary.json").write_text(json.dumps({"metric_per_case": entries}))
    with pytest.raises(ConfigError, match=r"images that are measured too: test_0\.png"):
        evaluate(given)


def test_what_it_needs(given, tmp_path):
    predictions, references, training, *_ = given
    (training / "train_1.npz").unlink()
    with pytest.raises(DataError, match=r"lack for train_1.png. Fix: vit_cli train … --prob"):
        evaluate(given)
    (predictions / "test_0.npz").unlink()
    with pytest.raises(ConfigError, match="--threshold-from needs probabilities"):
        evaluate_folder(
            predictions, references, Progress(), wanted=Wanted(("dice",), threshold_from=training)
        )
    save(predictions, "test_0", case(0)[1])
    with pytest.raises(DataError, match="holds no masks"):
        evaluate((predictions, references, tmp_path / "nothing"))


def test_several_classes_have_no_threshold(folders, tmp_path):
    mask = np.eye(8, dtype=int)
    predictions, references = folders({"a": mask}, {"a": mask})
    for_three = np.stack([mask == n for n in range(3)])[:, None].astype(np.float32)
    np.savez(predictions / "a.npz", probabilities=for_three)
    with pytest.raises(ConfigError, match="is for one class; the dataset has disc, cup"):
        evaluate_folder(
            predictions, references, Progress(), wanted=Wanted(("dice",), threshold_from=tmp_path)
        )


def test_a_probability_reaches_its_own_threshold():
    values = np.arange(STEPS + 1) / STEPS
    for kind in (np.float64, np.float32):
        assert (steps_of(values.astype(kind)) == np.arange(STEPS + 1)).all()
    threshold = Threshold(300, 0.5, 1, None)
    assert threshold.mask(np.array([0.2999, 0.3, 0.3001])).tolist() == [False, True, True]


def test_copies_of_measured_images_are_refused_too(given, tmp_path):
    _, references, training, *_ = given
    entries = json.loads((training / "summary.json").read_text())["metric_per_case"]
    copied = tmp_path / "copies"
    shutil.copytree(references, copied)
    shutil.copy(training / "train_0.png", training / "test_0.png")
    shutil.copy(training / "train_0.npz", training / "test_0.npz")
    entries.append({"prediction_file": "test_0.png", "reference_file": str(copied / "test_0.png")})
    (training / "summary.json").write_text(json.dumps({"metric_per_case": entries}))
    with pytest.raises(ConfigError, match=r"images that are measured too: test_0\.png"):
        evaluate(given)


def test_merged_validations_have_their_probabilities_in_the_folds(given):
    predictions, references, training, cases, _ = given
    alone = evaluate(given).measurement.threshold.as_text()
    model = training.parent / "model"
    merged = model / "crossval_results_folds_0_1"
    merged.mkdir(parents=True)
    for number, name in enumerate(cases):
        fold = model / f"fold_{number % 2}" / "validation"
        fold.mkdir(parents=True, exist_ok=True)
        shutil.copy(training / f"{name}.png", merged)
        for file in training.glob(f"{name}.*"):
            shutil.copy(file, fold)
    shutil.copy(training / "summary.json", merged)
    made = evaluate((predictions, references, merged)).measurement.threshold.as_text()
    assert made.replace(str(merged), str(training)) == alone


def test_probabilities_may_be_rounded_beyond_their_range():
    assert steps_of(np.array([-5e-7, 1.001])).tolist() == [0, STEPS]
