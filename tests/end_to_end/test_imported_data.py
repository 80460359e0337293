"""A folder of photographs and masks by colour, imported, trained on and predicted."""

import json

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.end_to_end

RUN = """
    data: {dataset: 905, configuration: 2d, fold: 0}
    paths: {raw: photos raw, preprocessed: photos pre, results: photos results}
    model: {head: linear, backbone: "timm:test_vit", pretrained: false}
    train: {num_epochs: 1, num_iterations_per_epoch: 2, num_val_iterations_per_epoch: 1,
            batch_size: 2, patch_size: [64, 96]}
"""


def test_photographs_and_colours_become_a_model(installed):
    photos, drawings = installed.folder / "photos", installed.folder / "drawings"
    photos.mkdir()
    drawings.mkdir()
    for number in range(10):
        generator = np.random.default_rng(number)
        Image.fromarray(generator.integers(0, 255, (64, 96, 3), dtype=np.uint8)).save(
            photos / f"P{number // 2}_{number}.jpg"
        )
        drawing = np.zeros((64, 96, 3), np.uint8)
        drawing[10:30, 20:40] = (255, 0, 0)
        drawing[40:50] = (0, 0, 255)
        Image.fromarray(drawing).save(drawings / f"P{number // 2}_{number}.png")
    words = ["photos raw/Dataset905_Photos", "--images", "photos", "--masks", "drawings"]
    labels = ["--label", "disc=#ff0000", "vessel=#0000ff", "--group", r"P(\d)_"]
    told = installed.succeed("import-dataset", *words, *labels)
    assert told.splitlines()[-1] == "Dataset: photos raw/Dataset905_Photos"
    installed.write("photos.yaml", RUN)
    installed.succeed("train", "--config", "photos.yaml", "--device", "cpu")
    splits = json.loads(
        (installed.folder / "photos pre/Dataset905_Photos/splits_final.json").read_text()
    )
    for fold in splits:  # groups.csv keeps a patient's two photographs together
        trained, validated = ({case[:2] for case in fold[side]} for side in ("train", "val"))
        assert len(validated) == 1
        assert not trained & validated
    (model,) = (installed.folder / "photos results").glob("*/*")
    images = ["-i", "photos raw/Dataset905_Photos/imagesTr", "-o", "photo masks"]
    installed.succeed("predict", *images, "--model", model, "--folds", 0, "--device", "cpu")
    mask = np.asarray(Image.open(installed.folder / "photo masks" / "P0_0.png"))
    assert mask.shape == (64, 96)
    assert mask.max() <= 2
