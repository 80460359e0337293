"""A folder of images as a service: killed and resumed, with bad images among the good ones."""

import json
import shutil
import subprocess
import time
from pathlib import Path

import pytest
import tifffile
from PIL import Image
from skimage import io

pytestmark = pytest.mark.end_to_end

STORED = max((Path(__file__).parents[1] / "stored").glob("*/masks")).parent
CASES = 12
FEW = (0, 3, CASES - 1)
MORE = (0, CASES - 1, *(moment / 19 for moment in range(20)))
MOMENTS = [3, *(pytest.param(moment, marks=pytest.mark.slow) for moment in MORE)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A stored model, and copies of its images."""
    folder = tmp_path_factory.mktemp("predicted")
    (model,) = (STORED / "results/lora").glob("*/*__2d")
    shutil.copytree(model, folder / "model")
    originals = sorted((STORED / "raw/Dataset005_Disc/imagesTs").iterdir())
    (folder / "images").mkdir()
    for number in range(CASES):
        shutil.copy(originals[number % len(originals)], folder / f"images/c{number:02}_0000.png")
    return folder


def predict(folder, masks, *words, images="images"):
    return ("predict", "-i", folder / images, "-o", folder / masks, "--model", folder / "model",
            "--device", "cpu", *words)  # fmt: skip


@pytest.fixture(scope="module")
def unbroken(installed, folder):
    """The masks of a prediction that nobody stops, and how long it took, seconds."""
    began = time.monotonic()
    installed.succeed(*predict(folder, "unbroken"))
    return masks_of(folder / "unbroken"), time.monotonic() - began


def masks_of(folder):
    return {file.name: file.read_bytes() for file in folder.glob("*.png")}


def has_come(masks, moment, began, seconds):
    """Tell whether so many masks are recorded, or for a share: whether so much time is over."""
    if isinstance(moment, float):
        return time.monotonic() - began > moment * seconds
    record = masks / "predicted.jsonl"
    lines = len(record.read_text().splitlines()) if record.is_file() else 0
    return lines >= moment and any(masks.glob(".predicting-*"))


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_prediction_is_resumed(installed, folder, unbroken, moment):
    expected, seconds = unbroken
    masks = folder / f"killed {moment}"
    command, environment = installed.start("vit_cli", *predict(folder, masks))
    began = time.monotonic()
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        while process.poll() is None and not has_come(masks, moment, began, seconds):
            time.sleep(0.002)
        process.kill()
    left = masks_of(masks) if masks.is_dir() else {}
    assert left.items() <= expected.items()  # not one is cut off
    if moment in FEW:
        assert moment <= len(left) < CASES or moment == CASES - 1
    kept = {name: (masks / name).stat().st_mtime_ns for name in left}
    output = installed.succeed(*predict(folder, masks, "--continue"))
    assert output.splitlines()[-1] == f"{CASES} masks in {masks}"
    assert masks_of(masks) == expected
    again = [name for name in kept if (masks / name).stat().st_mtime_ns != kept[name]]
    assert len(again) <= 1  # one may lie there that was not recorded yet
    assert not list(masks.glob(".*"))


def test_bad_images_do_not_stop_the_others(installed, folder, unbroken):
    images = shutil.copytree(folder / "images", folder / "some bad")
    whole = (images / "c03_0000.png").read_bytes()
    (images / "c03_0000.png").write_bytes(whole[: len(whole) // 2])
    picture = io.imread(images / "c05_0000.png")
    other = (
        picture[..., :3].mean(axis=-1) if picture.ndim == 3 else picture[..., None].repeat(3, -1)
    )
    io.imsave(images / "c05_0000.png", other.astype("uint8"), check_contrast=False)
    picture = io.imread(images / "c07_0000.png").astype("float32")
    picture[0, 0] = float("nan")
    (images / "c07_0000.png").unlink()
    colours = "rgb" if picture.ndim == 3 else "minisblack"
    tifffile.imwrite(images / "c07_0000.tif", picture, photometric=colours)
    words = predict(folder, "some", images="some bad")
    done = installed.vit_cli(*words)
    assert done.returncode == 8, done.stderr
    assert done.stderr.startswith(
        f"error[partial]: {CASES - 3} of {CASES} cases have a mask in {folder / 'some'}; "
    )
    failures = json.loads((folder / "some/failures.json").read_text())
    assert list(failures) == ["c03", "c05", "c07"]
    expected, _ = unbroken
    bad = ("c03.png", "c05.png", "c07.png")
    good = {name: mask for name, mask in expected.items() if name not in bad}
    assert masks_of(folder / "some") == good
    (images / "c07_0000.tif").unlink()
    for case in ("c03", "c05", "c07"):
        shutil.copy(folder / f"images/{case}_0000.png", images)
    output = installed.succeed(*words, "--continue", "--volumes")
    assert f"{CASES - 3} masks of {CASES} finished already." in output
    assert masks_of(folder / "some") == expected
    assert not (folder / "some/failures.json").exists()
    assert len((folder / "some/volumes.csv").read_text().splitlines()) == 1 + CASES


EVERYTHING = ("--uncertainty", "--overlays", "--volumes", "--instances", "--probabilities-format",
              "tiff")  # fmt: skip


def test_a_list_in_other_formats_with_all_that_can_be_written(installed, folder, unbroken):
    expected, _ = unbroken
    endings = (".bmp", ".tif", ".jpg", ".PNG")
    for number, ending in enumerate(endings):
        picture = io.imread(folder / f"images/c{number:02}_0000.png")
        Image.fromarray(picture).save(folder / f"c{number:02}{ending}")
    listed = folder / "list.txt"
    listed.write_text("".join(f"c{number:02}{end}\n" for number, end in enumerate(endings)))
    words = predict(folder, "listed", *EVERYTHING, images="list.txt")
    output = installed.succeed(*words)
    assert "Read as the model's *.png: 1 file *.bmp, 1 file *.tif, 1 file *.jpg, 1 " in output
    masks, cases = folder / "listed", [f"c{number:02}" for number in range(4)]
    made = masks_of(masks)
    assert sorted(made) == [f"{case}.png" for case in cases]
    same = {name: mask for name, mask in made.items() if name != "c02.png"}  # JPEG changes values
    assert same.items() <= expected.items()
    kinds = {"uncertainty": ("_entropy.tif", "_disagreement.tif"), "overlays": (".png",),
             "instances": (".tif",), "probabilities": (".tif",)}  # fmt: skip
    for name, ends in kinds.items():
        assert sorted(file.name for file in (masks / name).iterdir()) == sorted(
            f"{case}{end}" for case in cases for end in ends
        )
    rows = (masks / "uncertainty.csv").read_text().splitlines()
    assert sorted(row.split(",")[1] for row in rows[1:]) == cases
    (masks / "uncertainty/c01_entropy.tif").unlink()
    output = installed.succeed(*words, "--continue")
    assert "3 masks of 4 finished already." in output
    assert (masks / "uncertainty/c01_entropy.tif").is_file()
    assert masks_of(masks) == made
