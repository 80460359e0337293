"""The program of docs/onnx.md, run as it stands there: its masks are those of `vit_cli predict`."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from head_folders import GREY, save_pictures, write_head_folder
from predicting_model import LABELS, REGIONS
from skimage.io import imread

from nnunet_vit.inference.predict import predict_folder
from nnunet_vit.inference.prediction_options import PredictionOptions
from nnunet_vit.inference.trained_model import load_model
from nnunet_vit.report.progress import Progress
from nnunet_vit.sharing.export_source import Source
from nnunet_vit.sharing.onnx.export_onnx import export_onnx

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("onnx_packages")]

PAGE = Path(__file__).parents[3] / "docs/onnx.md"
SHAPES = [(30, 41), (61, 150), (100, 64)]
RGB = ("RGBTo01Normalization",) * 3
CASES = {
    "labels": {},
    "regions, colours": {"labels": REGIONS, "schemes": RGB},
    "CT, turned": {
        "schemes": ("CTNormalization", "RescaleTo01Normalization", "NoNormalization"),
        "transpose_forward": [0, 2, 1],
        "transpose_backward": [0, 2, 1],
    },
    "nonzero places, folds": {"masked": True, "border": 11, "folds": (0, 1)},
}


@pytest.fixture
def program(tmp_path):
    code = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[1]
    (tmp_path / "predict_onnx.py").write_text(code, encoding="utf-8")

    def run(*words):
        command = [sys.executable, tmp_path / "predict_onnx.py", *map(str, words)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    return run


@pytest.mark.parametrize("case", CASES)
def test_its_masks(case, tmp_path, program):
    options = {"labels": LABELS, "schemes": GREY, "border": 0, **CASES[case]}
    border = options.pop("border")
    folder = write_head_folder(tmp_path / "model", backbone="mae", **options)
    channels = len(options["schemes"])
    images = save_pictures(tmp_path / "images", SHAPES, channels=channels, border=border)
    exported = tmp_path / "exported/model.onnx"
    export_onnx(Source(folder), exported, opset=None, progress=Progress())
    ways = {"labels": [True, False], "nonzero places, folds": [False]}.get(case, [True])
    found = {way: of_program(program, exported, images, mirroring=way) for way in ways}
    wrong, values = [], set()
    for way in ways:
        expected = predicted(folder, tmp_path / f"masks{way}", way)
        for image, own in zip(images, found[way], strict=True):
            reference = expected[image.name.removesuffix("_0000.png")]
            assert (own.shape, own.dtype) == (reference.shape, reference.dtype)
            wrong += [(image, place) for place in np.argwhere(own != reference)]
            values |= set(np.unique(reference))
    assert len(values) > 1
    if "folds" in case:  # of random weights, and each fold's logits are rounded to half precision
        own = load_model(folder, device="cpu", mirroring=False)
        wrong = [place for place in wrong if margin(own, *place) > 1e-3]
    assert len(wrong) <= 1e-4 * len(ways) * sum(height * width for height, width in SHAPES)


def of_program(program, exported, images, *, mirroring):
    """Return the masks of the program."""
    masks = []
    for image in images:
        mask = exported.with_name(image.name)
        flags = [] if mirroring else ["--no-mirroring"]
        done = program(*flags, exported.with_suffix(".json"), mask, image)
        assert (done.returncode, done.stderr) == (0, "")
        masks.append(imread(mask))
    return masks


def margin(model, image, place):
    """Return by how much the likeliest class is likelier than the next at a place."""
    *_, second, first = sorted(model.predict_probabilities(imread(image))[:, place[0], place[1]])
    return first - second


def predicted(folder, masks, mirroring):
    """Return the masks of `vit_cli predict` by case."""
    predict_folder(
        folder.parent / "images",
        masks,
        folder,
        folds=None,
        checkpoint="final",
        base=None,
        options=PredictionOptions("cpu", mirroring=mirroring),
        progress=Progress(),
    )
    return {file.stem: imread(file) for file in masks.glob("*.png")}


def test_what_it_refuses(tmp_path, program):
    folder = write_head_folder(tmp_path / "model", backbone="siglip")
    (colours,) = save_pictures(tmp_path / "images", [(48, 64)], channels=3)
    (grey,) = save_pictures(tmp_path / "grey", [(48, 64)])
    exported = tmp_path / "model.onnx"
    export_onnx(Source(folder), exported, opset=None, progress=Progress())
    done = program(tmp_path / "model.json", tmp_path / "mask.png", colours)
    assert (done.returncode, done.stderr) == (1, "3 channels are given; the model has 1.\n")
    exported.write_bytes(exported.read_bytes()[:-1] + b"x")
    done = program(tmp_path / "model.json", tmp_path / "mask.png", grey)
    assert "is not the file that the JSON describes" in done.stderr
    assert not (tmp_path / "mask.png").exists()
