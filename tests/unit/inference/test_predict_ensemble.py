"""Prediction with the file of `best`: its members unchanged, their probabilities averaged."""

import json
import pickle
import shutil

import numpy as np
import pytest
import tifffile
from scipy.stats import entropy
from skimage.io import imread
from validated_runs import CASES, runs, save_mask, softmax

from nnunet_vit.errors import ConfigError, DataError, MachineError, ModelError, PartialError
from nnunet_vit.inference import predict_ensemble as module
from nnunet_vit.inference.best_of_dataset import best_of_dataset
from nnunet_vit.inference.ensemble_file import read_ensemble
from nnunet_vit.inference.ensemble_members import ReadyMember
from nnunet_vit.inference.prediction_options import PredictionOptions
from nnunet_vit.report.progress import Progress

__all__ = ["runs"]  # a fixture
pytestmark = pytest.mark.unit

ONE, TWO = "nnUNetTrainer__nnUNetPlans__2d", "nnUNetTrainer__other__2d"
WITHIN = {ONE: {"entropy": 0.5, "disagreement": 0.125},  # of each one's own folds
          TWO: {"entropy": 0.75, "disagreement": 0.25}}  # fmt: skip
FIRST, SECOND = (np.random.default_rng(n).normal(0, 2, (2, 3, 1, 24, 32)) for n in (1, 2))


@pytest.fixture
def file(runs):
    """What best writes of two runs of which the average is better."""
    runs.write(ONE, noise=2, seed=1)
    runs.write(TWO, noise=2, seed=2)
    choice, file = best_of_dataset("7", Progress(), folds=list(CASES))
    assert len(choice.best.runs) == 2
    return file


@pytest.fixture
def images(tmp_path):
    for case in ("x", "x.y"):
        for channel in range(2):
            save_mask(tmp_path / f"images/{case}_000{channel}.png", np.full((24, 32), 9 * channel))
    return tmp_path / "images"


@pytest.fixture
def networks(monkeypatch):
    """Networks whose probabilities are known, in place of real ones."""
    loaded = []

    def load(member, base, progress):
        loaded.append(member.model.path.name)

    def run(model, inputs, place, *, options, progress):
        logits = FIRST if loaded[-1] == ONE else SECOND
        known = dict(zip(("x", "x.y"), logits, strict=True))
        for case, each in ((case, known[case]) for case in inputs.cases):
            save_mask(place / f"{case}.png", each.argmax(axis=0)[0])
            if options.probabilities:
                np.savez_compressed(place / f"{case}.npz", probabilities=softmax(each))
                (place / f"{case}.pkl").write_bytes(pickle.dumps({}))
            if options.uncertainty:
                (place / "uncertainty").mkdir(exist_ok=True)
                for kind, value in WITHIN[loaded[-1]].items():
                    file = place / f"uncertainty/{case}_{kind}.tif"
                    tifffile.imwrite(file, np.full((24, 32), value, np.float32))
        for name in ("plans.json", "dataset.json"):
            (place / name).write_text("{}")
        return {}

    monkeypatch.setattr(ReadyMember, "loaded", load)
    monkeypatch.setattr(module, "run", run)


def predict(images, file, masks=None, progress=None, **options):
    masks = masks or images.parent / "masks"
    options = PredictionOptions("cpu", **options)
    progress = progress or Progress()
    module.predict_ensemble(images, masks, file, base=None, options=options, progress=progress)
    return masks


def change(file, **keys):
    file.write_text(json.dumps(json.loads(file.read_text()) | keys))


def test_the_mean_of_the_members(file, images, networks):
    change(file, postprocessing=[], temperature=2.0)
    masks = predict(images, file, probabilities=True)
    names = [f"{case}.{ending}" for case in ("x", "x.y") for ending in ("npz", "pkl", "png")]
    assert sorted(path.name for path in masks.iterdir()) == [
        "dataset.json", "plans.json", "predicted.jsonl", *sorted(names)
    ]  # fmt: skip
    for number, case in enumerate(("x", "x.y")):
        mean = (softmax(FIRST[number]) + softmax(SECOND[number])) / 2
        assert np.array_equal(imread(masks / f"{case}.png"), mean.argmax(axis=0)[0])
        rooted = np.sqrt(mean)
        found = np.load(masks / f"{case}.npz")["probabilities"]
        assert np.allclose(found, rooted / rooted.sum(axis=0), atol=1e-5)


def test_the_uncertainty_is_of_the_members_and_of_what_is_between(file, images, networks):
    plain = imread(predict(images, file) / "x.png")
    masks = predict(images, file, uncertainty=True, overlays=True)
    assert np.array_equal(imread(masks / "x.png"), plain)
    members = np.stack([softmax(FIRST[0]), softmax(SECOND[0])])
    together = entropy(members.mean(axis=0), axis=0) - entropy(members, axis=1).mean(axis=0)
    between = together[0] / np.log(3)
    for kind in ("entropy", "disagreement"):
        own = (WITHIN[ONE][kind] + WITHIN[TWO][kind]) / 2
        found = imread(masks / f"uncertainty/x_{kind}.tif")
        np.testing.assert_allclose(found, (between + own).clip(0, 1), atol=1e-4)
    assert len((masks / "uncertainty.csv").read_text().splitlines()) == 1 + 2
    assert sorted(path.name for path in (masks / "overlays").iterdir()) == ["x.png", "x.y.png"]
    assert not list(masks.glob("*.npz"))
    before = (masks / "x.png").stat().st_mtime_ns
    (masks / "uncertainty/x.y_entropy.tif").unlink()
    predict(images, file, uncertainty=True, resume=True)
    assert (masks / "x.png").stat().st_mtime_ns == before
    assert (masks / "uncertainty/x.y_entropy.tif").is_file()


def test_probabilities_of_earlier_masks_do_not_stay(file, images, networks):
    masks = predict(images, file, probabilities=True)
    (masks / "other.npz").touch()
    predict(images, file)
    assert [path.name for path in masks.iterdir() if path.suffix in (".npz", ".pkl")] == [
        "other.npz"
    ]


@pytest.mark.parametrize(("temperature", "probabilities"), [(None, True), (2, True), (None, False)])
def test_probabilities_without_a_temperature(file, images, networks, temperature, probabilities):
    said = []

    class Heard(Progress):
        def log(self, text):
            said.append(text)

    change(file, temperature=temperature)
    predict(images, file, probabilities=probabilities, progress=Heard())
    line = f"{file} has no temperature: the probabilities are not scaled."
    assert (line in said) == (temperature is None and probabilities)


def test_one_model_alone_is_post_processed(file, images, networks):
    content = json.loads(file.read_text())
    change(file, members=content["members"][:1],
           postprocessing=[{"keep_largest_component_of": [1]}])  # fmt: skip
    masks = predict(images, file)
    found, raw = imread(masks / "x.png"), FIRST[0].argmax(axis=0)[0]
    assert 0 < (found == 1).sum() < (raw == 1).sum()
    assert np.array_equal(found == 2, raw == 2)
    assert not list(masks.glob("*.npz"))


def test_what_a_killed_prediction_left_is_removed(file, images, networks):
    left = images.parent / "masks/.predicting-abc"
    left.mkdir(parents=True)
    (left / "in.use").touch()
    predict(images, file)
    assert not left.exists()


def test_a_moved_results_folder(file, images, networks, tmp_path):
    moved = tmp_path / "moved"
    shutil.move(file.parent, moved)
    assert (predict(images, moved / file.name) / "x.png").is_file()


def test_a_file_elsewhere_names_whole_paths(file, tmp_path):
    choice, other = best_of_dataset(
        "7", Progress(), folds=list(CASES), output=tmp_path / "mine.json"
    )
    folders = [member.folder for member in read_ensemble(other).members]
    assert folders == [run.path.resolve() for run in choice.best.runs]


def test_all_that_is_wrong_with_the_members_at_once(file, images):
    (file.parent / ONE / "fold_0/checkpoint_final.pth").write_bytes(b"trained again")
    (file.parent / ONE / "fold_1/checkpoint_final.pth").unlink()
    shutil.rmtree(file.parent / TWO)
    with pytest.raises(ModelError) as caught:
        predict(images, file)
    assert caught.value.problem == (
        f"{file}: 3 problems:\n"
        f"  {file.parent / ONE}: the final model of fold 0 is another one than when it was chosen."
        f"\n  {file.parent / ONE}: the final model of fold 1 is missing."
        f"\n  {file.parent / TWO} is missing."
    )
    assert "`vit_cli best DATASET` chooses again" in caught.value.fix
    assert not (images.parent / "masks").exists()


def test_a_member_of_another_dataset(file, images):
    description = file.parent / TWO / "dataset.json"
    content = json.loads(description.read_text())
    description.write_text(json.dumps(content | {"channel_names": {"0": "CT", "1": "R"}}))
    with pytest.raises(ModelError, match="has another channel_names than the ensemble"):
        predict(images, file)


def test_plans_that_have_changed(file, images, networks):
    plans = file.parent / TWO / "plans.json"
    content = json.loads(plans.read_text())
    plans.write_text(json.dumps(content, indent=1))
    predict(images, file)
    plans.write_text(json.dumps(content | {"transpose_backward": [0, 2, 1]}))
    with pytest.raises(ModelError) as caught:
        predict(images, file)
    assert caught.value.problem == f"{file}: {plans} is another one than when it was chosen."
    members = json.loads(file.read_text())["members"]
    for member in members:
        del member["plans"]
    change(file, members=members)  # as an older version wrote it
    predict(images, file)


def test_masks_among_the_models_and_images_that_do_not_fit(file, images):
    with pytest.raises(MachineError, match="is the folder of the model"):
        predict(images, file, masks=file.parent / ONE)
    with pytest.raises(MachineError, match=r"best\.json is a file\."):
        predict(images, file, masks=file / "masks")
    for case in ("x", "x.y"):
        (images / f"{case}_0001.png").unlink()
    with pytest.raises(DataError, match="has 1 channel"):
        predict(images, file)


def test_one_bad_image_does_not_stop_the_others(file, images, networks):
    (images / "x_0001.png").unlink()
    (images.parent / "masks").mkdir()
    save_mask(images.parent / "masks/x.png", np.zeros((24, 32)))
    with pytest.raises(PartialError, match=r"1 of 2 cases has a mask in (.|\n)*has 1 channel"):
        predict(images, file)
    masks = images.parent / "masks"
    assert list(json.loads((masks / "failures.json").read_text())) == ["x"]
    assert (masks / "x.y.png").is_file()


def test_finished_masks_of_an_ensemble_stay(file, images, networks):
    masks = predict(images, file)
    before = (masks / "x.png").stat().st_mtime_ns
    (masks / "x.y.png").unlink()
    predict(images, file, resume=True)
    assert (masks / "x.png").stat().st_mtime_ns == before
    assert (masks / "x.y.png").is_file()
    change(file, postprocessing=[])
    predict(images, file, resume=True)
    assert (masks / "x.png").stat().st_mtime_ns > before


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is empty."),
        ("{", "cannot be read as JSON"),
        ("[]", "is no file of `vit_cli best`: it holds a list."),
        ("{}", "is no file of `vit_cli best`: it holds no schema."),
        ('{"schema": 9, "written_by": "nnunet-vit 8"}', "was written by nnunet-vit 8, this is"),
        ('{"schema": 1}', "is damaged: description, members, postprocessing missing or"),
        ('{"schema": 1, "description": {}, "members": [], "postprocessing": []}', "members"),
        ('{"schema": 1, "description": {}, "members": [{"folder": "x", "checkpoints": {}}], '
         '"postprocessing": []}', "members missing"),
        ('{"schema": 1, "description": {}, "members": [{"folder": "x", "checkpoints": {"0": "a"}}],'
         ' "postprocessing": [], "temperature": -1}', "temperature missing"),
    ],
)  # fmt: skip
def test_a_file_that_is_none(tmp_path, text, problem):
    (tmp_path / "best.json").write_text(text)
    with pytest.raises(ModelError) as caught:
        read_ensemble(tmp_path / "best.json")
    assert str(caught.value).startswith(f"{tmp_path / 'best.json'} ")
    assert problem in str(caught.value)
    assert "vit_cli best DATASET" in caught.value.fix or "update" in caught.value.fix


@pytest.mark.parametrize("content", ["train: {}\n", "", '{"schema": 1}', "[]"])
def test_no_other_file_is_written_over(file, tmp_path, content):
    other = tmp_path / "run.yaml"
    other.write_text(content)
    with pytest.raises(ConfigError, match=r"run\.yaml is there, and `vit_cli best` has not writ"):
        best_of_dataset("7", Progress(), folds=[0, 1], output=other)
    assert other.read_text() == content
    file.write_text('{"schema": 1, "members": []}')
    best_of_dataset("7", Progress(), folds=[0, 1])
    assert read_ensemble(file).members
