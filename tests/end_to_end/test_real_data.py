"""Real microscopy: the example run as people start it; minutes long, where the data lie."""

import os
import time
from pathlib import Path

import pytest
from alike_masks import ALIKE, equal_share
from skimage import io

REPOSITORY = Path(__file__).parents[2]
DATA = Path(os.environ.get("NNUNET_VIT_DATA", REPOSITORY.parent / "shared" / "data"))
DATASET = DATA / "Dataset502_DSB2018"
DICE = 0.70

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.slow,
    pytest.mark.skipif(
        not DATASET.is_dir(),
        reason="Dataset502_DSB2018 is not there: NNUNET_VIT_DATA names its folder",
    ),
]


def test_nuclei_from_random_weights(installed, capsys):
    images, folder = DATASET / "imagesTs", installed.folder
    variables = {
        "nnUNet_raw": str(DATA),
        "nnUNet_preprocessed": str(folder / "real preprocessed"),
        "nnUNet_results": str(folder / "real results"),
        "nnUNet_n_proc_DA": "2",
    }
    run_file = REPOSITORY / "examples" / "dsb2018.yaml"
    began = time.monotonic()
    trained = installed.vit_cli("train", "--config", run_file, "--device", "cpu", **variables)
    minutes = (time.monotonic() - began) / 60
    assert trained.returncode == 0, trained.stderr
    (model,) = (folder / "real results").glob("*/*")
    ours, stock = folder / "real masks", folder / "real stock"
    installed.succeed("predict", "-i", images, "-o", ours, "--model", model, "--device", "cpu")
    done = installed("nnUNetv2_predict_from_modelfolder", "-i", images, "-o", stock, "-m", model,
                     "-f", "0", "-device", "cpu")  # fmt: skip
    assert done.returncode == 0, done.stderr
    masks = sorted(ours.glob("*.png"))
    assert len(masks) == 40
    both = [
        {mask.name: io.imread(folder / mask.name) for mask in masks} for folder in (ours, stock)
    ]
    assert equal_share(*both) >= ALIKE
    evaluated = installed.succeed("evaluate", "-p", ours, "-r", DATASET / "labelsTs")
    dice = float(evaluated.split("mean ")[1].split()[0])
    with capsys.disabled():
        print(f"\nnuclei: Dice {dice:.3f} after {minutes:.1f} minutes of `vit_cli train`")
    assert dice >= DICE
