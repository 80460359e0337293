"""Images that are read in strips, by the real command: equal masks, killed and resumed, memory."""

import csv
import os
import shutil
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
import tifffile
from large_images import picture, write_tiff, write_zarr
from skimage.io import imread, imsave

pytestmark = pytest.mark.end_to_end

STORED = max((Path(__file__).parents[1] / "stored").glob("*/masks")).parent
GROWTH = 1.05  # of the peak over 1000 images beside that over 10


@pytest.fixture(scope="module")
def model():
    (found,) = (STORED / "results/lora").glob("*/*__2d")
    return found


def predict(folder, model, *words):
    return ("predict", "-i", folder / "images", "-o", folder / "masks", "--model", model,
            "--device", "cpu", "--no-mirroring", *words)  # fmt: skip


def peak_of(command, environment):
    """Return the highest resident memory of a command, bytes."""
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0
    return usage.ru_maxrss * 1024


def test_a_zarr_among_pictures_and_one_that_is_damaged(installed, tmp_path, model):
    pytest.importorskip("zarr")
    (tmp_path / "images").mkdir()
    values = picture((301, 203))
    write_zarr(tmp_path / "images/b.ome.zarr", values)
    write_zarr(tmp_path / "images/c.zarr", picture((90, 90)))
    (tmp_path / "images/c.zarr/0/0.0.0").write_bytes(b"no chunk")
    imsave(tmp_path / "images/a_0000.png", values, check_contrast=False)
    done = installed.vit_cli(*predict(tmp_path, model, "--volumes"))
    assert done.returncode == 8, done.stderr
    assert "b: 301 x 203 pixels, the finest of 2 levels, read in strips: " in done.stdout
    assert "c.zarr cannot be read to its end: " in done.stderr
    masks = tmp_path / "masks"
    np.testing.assert_array_equal(imread(masks / "b.tif"), imread(masks / "a.png"))
    rows = list(csv.DictReader((masks / "volumes.csv").open()))
    assert [row.pop("case") for row in rows] == ["a", "b"]
    assert rows[0] == rows[1]
    shutil.rmtree(tmp_path / "images/c.zarr")
    again = installed.succeed(*predict(tmp_path, model, "--continue"))
    assert "2 masks of 2 finished already." in again
    refused = installed.vit_cli(*predict(tmp_path, model, "--probabilities"))
    assert refused.returncode == 2
    assert "--probabilities is not for large images, which are read in strips: b." in refused.stderr


@pytest.mark.slow
def test_killed_and_resumed(installed, tmp_path, model):
    (tmp_path / "images").mkdir()
    values = np.tile(picture((1000, 1000)), (8, 7, 1))
    write_tiff(tmp_path / "images/a_0000.tif", values, tile=(256, 256), photometric="rgb")
    words = predict(tmp_path, model, "--step-size", "1")
    command, environment = installed.start("vit_cli", *words)
    process = subprocess.Popen(command, env=environment, cwd=installed.folder)
    masks = tmp_path / "masks"
    while not any(file.stat().st_size > 50_000 for file in masks.glob(".predicting-*/a.tif")):
        time.sleep(0.2)
        assert process.poll() is None
    process.kill()
    process.wait()
    assert not list(masks.glob("*.tif"))
    installed.succeed(*words, "--continue")
    assert not list(masks.glob(".predicting-*"))
    with tifffile.TiffFile(masks / "a.tif") as mask:
        assert mask.pages[0].shape == (8000, 7000)


@pytest.mark.slow
def test_many_images_take_the_memory_of_a_few(installed, tmp_path, model):
    peaks = []
    for count in (10, 1000):
        folder = tmp_path / str(count)
        (folder / "images").mkdir(parents=True)
        for number in range(count):
            values = picture((192, 192), seed=number)  # ten fill the batches that are there at once
            imsave(folder / f"images/c{number:04}_0000.png", values, check_contrast=False)
        peaks.append(peak_of(*installed.start("vit_cli", *predict(folder, model))))
    assert peaks[1] <= GROWTH * peaks[0]
