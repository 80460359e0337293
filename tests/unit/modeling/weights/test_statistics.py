"""The statistics that a snapshot says its weights were trained with, beside transformers' own."""

import json

import pytest

from nnunet_vit.errors import ModelError
from nnunet_vit.modeling.weights.statistics import SnapshotStatistics, statistics_of_snapshot

pytestmark = pytest.mark.unit

MEAN, STD = [0.1, 0.2, 0.3], [0.4, 0.5, 0.6]
PROCESSOR, CONFIG = "preprocessor_config.json", "config.json"


def write(folder, name, content):
    (folder / name).write_text(content if isinstance(content, str) else json.dumps(content))


@pytest.mark.parametrize("kind", ["ViTImageProcessor", "BitImageProcessor"])
@pytest.mark.parametrize("settings", [{}, {"image_mean": MEAN, "image_std": STD}, {"plain": True}])
def test_the_picture_is_what_transformers_makes_of_it(tmp_path, kind, settings):
    import numpy as np
    import torch
    import transformers

    from nnunet_vit.modeling.bridge import InputBridge

    settings = {"do_normalize": False} if settings == {"plain": True} else settings
    processor = getattr(transformers, kind)(**settings)
    processor.save_pretrained(tmp_path)
    said = statistics_of_snapshot(tmp_path)
    assert said.file == tmp_path / PROCESSOR
    picture = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    theirs = processor(picture, do_resize=False, do_center_crop=False, return_tensors="pt")
    ours = InputBridge(said.mean, said.std)(torch.from_numpy(picture).permute(2, 0, 1)[None] / 255)
    assert torch.allclose(ours, theirs["pixel_values"], atol=1e-5)


def test_timms_config(tmp_path):
    settings = {"mean": MEAN, "std": STD, "tag": "mine"}
    write(tmp_path, CONFIG, {"architecture": "vit", "pretrained_cfg": settings})
    found = SnapshotStatistics(tuple(MEAN), tuple(STD), tmp_path / CONFIG)
    assert statistics_of_snapshot(tmp_path) == found
    write(tmp_path, PROCESSOR, {"image_mean": [0, 0, 0], "image_std": [1, 1, 1]})
    first = SnapshotStatistics((0.0,) * 3, (1.0,) * 3, tmp_path / PROCESSOR)
    assert statistics_of_snapshot(tmp_path) == first
    write(tmp_path, PROCESSOR, {"image_processor_type": "x", "size": 224})
    assert statistics_of_snapshot(tmp_path) == found


def test_the_snapshots_own_file_of_weights(tmp_path):
    write(tmp_path, PROCESSOR, {"image_mean": MEAN, "image_std": STD})
    for name in ("model.safetensors", "pytorch_model.bin"):
        assert statistics_of_snapshot(tmp_path / name).mean == tuple(MEAN)
    assert statistics_of_snapshot(tmp_path / "mae.pth") is None


@pytest.mark.parametrize("config", [None, {}, {"pretrained_cfg": None}, {"pretrained_cfg": {}}])
def test_a_folder_that_says_nothing(tmp_path, config):
    if config is not None:
        write(tmp_path, CONFIG, config)
    assert statistics_of_snapshot(tmp_path) is None


NUMBERS = {"image_mean": MEAN, "image_std": STD}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"image_mean": MEAN}, "it holds one of mean and std, without the other"),
        (
            {**NUMBERS, "rescale_factor": 1.0},
            "its image_mean is not of intensities in 0..1 (factor 1)",
        ),
        (
            {**NUMBERS, "image_std": [1, 1, 0]},
            "image_std.2: Input should be greater than 0",
        ),
        (
            {**NUMBERS, "image_mean": [1, 1]},
            "image_mean: List should have at least 3 items after validation, not 2",
        ),
        (
            json.dumps({**NUMBERS, "image_mean": [1, 1, float("nan")]}),
            "image_mean.2: Input should be a finite number",
        ),
        (
            {**NUMBERS, "image_mean": ["0.5", 1, 1]},
            "image_mean.0: Input should be a valid number",
        ),
    ],
)
def test_numbers_that_cannot_be_used(tmp_path, content, reason):
    write(tmp_path, PROCESSOR, content)
    with pytest.raises(ModelError) as caught:
        statistics_of_snapshot(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path / PROCESSOR} holds no usable statistics of the images: {reason}. Fix: fetch "
        "the snapshot again, or give model.input_mean and model.input_std."
    )


@pytest.mark.parametrize(
    "content", ["", "{", "[" * 100_000, "[1]", "\udcff", '{"image_mean": [1e400, 1, 1]}']
)
def test_a_file_that_is_no_such_json(tmp_path, content):
    (tmp_path / PROCESSOR).write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(ModelError, match="holds no usable statistics of the images: "):
        statistics_of_snapshot(tmp_path)
