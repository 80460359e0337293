"""300 seeded mutations of what people bring: none ends in error[bug] or a traceback."""

import multiprocessing
import multiprocessing.pool
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nnunet_vit.cli import main
from nnunet_vit.sample.drawn_dataset import write_sample_dataset

sys.path.insert(0, str(Path(__file__).parent))
from mutate import mutate_json, mutate_picture

pytestmark = pytest.mark.end_to_end

ROOT = Path(__file__).parents[2]
SEEDS = 300
IN_A_GROUP = 10
NAME = "Dataset901_SampleFundus"
RUN = """
data: {dataset: 901, configuration: 2d, fold: 0}
paths: {raw: raw, preprocessed: pre, results: res}
model: {head: linear, backbone: 'timm:test_vit', pretrained: false}
train: {num_epochs: 1, num_iterations_per_epoch: 1, num_val_iterations_per_epoch: 1,
        batch_size: 2, patch_size: [32, 32]}
"""
EXPECTED_CODES = {0, 2, 3, 4, 5, 6, 7, 8}


class NoContext:
    """multiprocessing's context with threads in place of processes: starting them costs seconds."""

    def __getattr__(self, name):
        return getattr(multiprocessing, name)

    Pool = staticmethod(multiprocessing.pool.ThreadPool)


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """A folder with a dataset, what was prepared and trained of it, masks; and its copy to damage.

    nnU-Net reads its folders once per process: every mutation happens in the same place.
    """
    place = tmp_path_factory.mktemp("mutations")
    work, original = place / "work", place / "original"
    write_sample_dataset(work / "raw", 5, 2, image_size=64)
    (work / "run.yaml").write_text(RUN)
    cli = [sys.executable, str(ROOT / "vit_cli.py")]
    train = [*cli, "train", "--config", "run.yaml", "--device", "cpu"]
    subprocess.run(train, cwd=work, check=True, capture_output=True)
    (model,) = (work / "res" / NAME).iterdir()
    model.rename(work / "model")
    shutil.rmtree(work / "res")
    predict = [*cli, "predict", "-i", f"raw/{NAME}/imagesTs", "-o", "masks", "--model", "model"]
    subprocess.run([*predict, "--device", "cpu"], cwd=work, check=True, capture_output=True)
    shutil.copytree(work, original)
    return work, original


@pytest.fixture
def planning_alone(monkeypatch):
    """Let `train` end where the training itself would begin; pools are threads."""
    from nnunet_vit.training import run as training

    done = training.TrainedModel(Path(), 0.0, {}, 1, 0)
    monkeypatch.setattr(training, "execute", lambda *_, **__: done)
    monkeypatch.setattr(multiprocessing, "get_context", lambda *_: NoContext())


def commands(dice):
    """Return what is damaged, how, and the verbs that meet it."""
    train = ["train", "--config", "run.yaml", "--device", "cpu"]
    validate = ["validate", "run.yaml"]
    predict = ["predict", "-i", f"raw/{NAME}/imagesTs", "-o", "out", "--model", "model",
               "--device", "cpu"]  # fmt: skip
    evaluate = ["evaluate", "-p", "masks", "-r", f"raw/{NAME}/labelsTs",
                "-i", f"raw/{NAME}/imagesTs", "--overlays", "overlays"]  # fmt: skip
    raw, pre = f"raw/{NAME}", f"pre/{NAME}"
    return dice.choice((
        (f"{raw}/dataset.json", mutate_json, (validate, train)),
        (f"{raw}/dataset.json", mutate_json, (train, )),
        (f"{pre}/dataset.json", mutate_json, (train,)),
        (f"{pre}/nnUNetPlans.json", mutate_json, (train,)),
        (f"{pre}/splits_final.json", mutate_json, (train,)),
        (f"{raw}/imagesTr", mutate_picture, (train,)),
        (f"{raw}/labelsTr", mutate_picture, (train,)),
        (f"{raw}/imagesTs", mutate_picture, (predict, evaluate)),
        (f"{raw}/labelsTs", mutate_picture, (evaluate,)),
        ("masks", mutate_picture, (evaluate,)),
        ("masks/dataset.json", mutate_json, (evaluate,)),
        ("masks/plans.json", mutate_json, (evaluate,)),
        ("model/plans.json", mutate_json, (predict,)),
        ("model/dataset.json", mutate_json, (predict,)),
    ))  # fmt: skip


def ends_badly(arguments, capfd):
    """Run a verb in this process; return what is wrong with its end, or nothing."""
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    said = capfd.readouterr()
    text = said.out + said.err
    if stopped.value.code not in EXPECTED_CODES or "Traceback" in text or "error[bug]" in text:
        return f"{arguments[0]} exits with {stopped.value.code}: {text.strip()[-400:]}"
    return ""


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, SEEDS, IN_A_GROUP))
def test_no_damage_ends_in_a_bug(first, sound, planning_alone, monkeypatch, capfd):
    work, original = sound
    wrong = []
    for seed in range(first, first + IN_A_GROUP):
        shutil.rmtree(work, ignore_errors=True)
        shutil.copytree(original, work)
        monkeypatch.chdir(work)  # each time: the folder that was there is gone
        dice = random.Random(seed)
        target, mutate, verbs = commands(dice)
        done = mutate(work / target, dice)
        if target.startswith("raw") and dice.random() < 0.6:
            shutil.rmtree(work / "pre")  # as before the first training
        found = [ends_badly(verb, capfd) for verb in verbs]
        wrong += [f"seed {seed}, {done}: {text}" for text in found if text]
    assert wrong == []
