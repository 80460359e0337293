"""Models and an unfinished training of earlier versions, as tests/stored/make.py wrote them."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from alike_masks import masks_of

pytestmark = pytest.mark.end_to_end

STORED = Path(__file__).parents[1] / "stored"
VERSIONS = sorted(folder.name for folder in STORED.iterdir() if (folder / "masks").is_dir())
SLOW = pytest.mark.slow
MODELS = ["lora", *(pytest.param(name, marks=SLOW) for name in ("full", "frozen", "own_loss"))]
SHARE = 0.999  # of the pixels: the last bits of a sum differ between machines


@pytest.fixture(params=VERSIONS)
def stored(request, tmp_path):
    """A copy of a version's set."""
    return shutil.copytree(STORED / request.param, tmp_path / "stored")


@pytest.mark.parametrize("name", MODELS)
def test_the_masks_are_those_of_then(installed, stored, name):
    (model,) = (stored / "results" / name).glob("*/*__2d")
    images, out = stored / "raw/Dataset005_Disc/imagesTs", stored / "out"
    installed.succeed("predict", "-i", images, "-o", out, "--model", model, "--device", "cpu")
    then, now = masks_of(stored / "masks" / name), masks_of(out)
    assert then.keys() == now.keys() and len(then) == 2
    equal = np.mean([then[case] == now[case] for case in then])
    assert equal >= SHARE
    assert any(mask.any() for mask in then.values())


@pytest.mark.parametrize("name", MODELS)
def test_an_unfinished_training_is_resumed(installed, stored, name):
    if np.lib.NumpyVersion(np.__version__) < "2.0.0":  # it cannot read what numpy 2 has pickled
        shutil.rmtree(stored / "preprocessed/Dataset005_Disc/nnUNetPlans_2d")
    run = stored / f"{name}_killed.yaml"
    output = installed.succeed("train", "--config", run, "--device", "cpu", "--continue")
    assert "Resuming after epoch 1 of 3." in output or "Resuming after epoch 2 of 3." in output
    assert "Mean Dice" in output
    (fold,) = (stored / f"results/{name}_killed").glob("*/*__2d/fold_0")
    assert (fold / "checkpoint_final.pth").is_file()


def test_there_is_a_set():
    assert VERSIONS
