"""The statistics that a snapshot says its weights were trained with, beside transformers' own."""

import json

import pytest

from nnunet_vit.errors import ModelError
from nnunet_vit.modeling.weights.configs.statistics import (
    SnapshotStatistics,
    statistics_of_snapshot,
)

pytestmark = pytest.mark.unit

MEAN, STD = [0.1, 0.2, 0.3], [0.4, 0.5, 0.6]
NESTED, PROCESSOR, CONFIG = "processor_config.json", "preprocessor_config.json", "config.json"


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
BYTES = {"image_mean": [120.0, 110.0, 100.0], "image_std": [58.0, 57.0, 56.0]}


@pytest.mark.parametrize("more", [{}, {"do_rescale": False}, {"rescale_factor": None}])
def test_numbers_of_bytes_that_are_not_rescaled(tmp_path, more):
    write(tmp_path, PROCESSOR, {**BYTES, **more})
    said = statistics_of_snapshot(tmp_path)
    assert said.mean == pytest.approx([120 / 255, 110 / 255, 100 / 255])
    assert said.std == pytest.approx([58 / 255, 57 / 255, 56 / 255])


def test_numbers_of_0_to_1_stay_where_nothing_is_rescaled(tmp_path):
    write(tmp_path, PROCESSOR, {**NUMBERS, "do_rescale": False, "rescale_factor": 0.5})
    assert statistics_of_snapshot(tmp_path).mean == tuple(MEAN)


def test_numbers_of_bytes_in_timms_config(tmp_path):
    settings = {"mean": BYTES["image_mean"], "std": BYTES["image_std"]}
    write(tmp_path, CONFIG, {"architecture": "vit", "pretrained_cfg": settings})
    with pytest.raises(ModelError, match=r"\] are not of intensities in 0\.\.1\. Fix: "):
        statistics_of_snapshot(tmp_path)


def test_the_file_of_a_whole_processor_speaks_first(tmp_path):
    """transformers 5 writes nothing else for a processor of images and texts."""
    write(tmp_path, PROCESSOR, {"image_mean": [0.5] * 3, "image_std": [0.5] * 3})
    write(tmp_path, NESTED, {"image_processor": NUMBERS, "processor_class": "CLIPProcessor"})
    found = SnapshotStatistics(tuple(MEAN), tuple(STD), tmp_path / NESTED)
    assert statistics_of_snapshot(tmp_path) == found
    write(tmp_path, NESTED, {"processor_class": "CLIPProcessor"})
    assert statistics_of_snapshot(tmp_path).mean == (0.5,) * 3


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (
            {**BYTES, "do_rescale": True},
            "mean [120.0, 110.0, 100.0] and std [58.0, 57.0, 56.0] are of intensities in 0..255, "
            "which it rescales",
        ),
        (
            {**BYTES, "rescale_factor": 1 / 255},
            "mean [120.0, 110.0, 100.0] and std [58.0, 57.0, 56.0] are of intensities in 0..255, "
            "which it rescales",
        ),
        (
            {"do_rescale": False, "do_normalize": False},
            "nothing says whether its images are in 0..1 or in 0..255",
        ),
        (
            {**NUMBERS, "image_std": [0.4, 1e-30, 0.6]},
            "mean [0.1, 0.2, 0.3] and std [0.4, 1e-30, 0.6] hold a deviation of 1e-30",
        ),
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
