"""vit_cli import-dataset as a user types it."""

from pathlib import Path

import numpy as np
import pytest
from imported_datasets import NAME, description_of, drawn, folders, squares
from PIL import Image

from nnunet_vit.data.checking.training_files import check_training_files
from nnunet_vit.data.dataset import find_dataset
from nnunet_vit.report.progress import Progress

pytestmark = pytest.mark.unit
SIZE = (32, 40)


@pytest.fixture
def sources(tmp_path):
    images, masks = folders(tmp_path)
    for number in range(5):
        Image.fromarray(drawn(number, (*SIZE, 3))).save(images / f"{number}_training.jpg")
        mask = np.array([0, 255, 128], np.uint8)[squares(number, SIZE, (1, 2))]
        Image.fromarray(mask).save(masks / f"{number}_manual1.gif")


WORDS = (
    "--images", "images", "--masks", "masks", "--pattern", r"(\d+)_",
    "--label", "vessel=255", "disc=128",
)  # fmt: skip


def test_a_dataset_that_our_own_check_takes(vit_cli, sources, tmp_path, monkeypatch):
    code, output, errors = vit_cli("import-dataset", f"raw/{NAME}", *WORDS)
    assert (code, errors) == (0, "")
    assert "255 becomes 1 (vessel)" in output
    assert output.splitlines()[-1] == f"Dataset: raw/{NAME}"
    for variable in ("raw", "preprocessed"):
        monkeypatch.setenv(f"nnUNet_{variable}", str(tmp_path / variable))
    dataset = find_dataset(505)
    check_training_files(dataset, 16, Progress())
    assert description_of(dataset.raw)["labels"] == {"background": 0, "vessel": 1, "disc": 2}
    assert sorted(path.name for path in Path("raw").iterdir()) == [NAME]


def test_a_dry_run_writes_a_picture_alone(vit_cli, sources, tmp_path):
    before = set(tmp_path.rglob("*"))
    code, output, _ = vit_cli("import-dataset", f"raw/{NAME}", *WORDS, "--dry-run")
    assert code == 0
    assert output.splitlines()[-1] == "Nothing was written but import_preview.png: 0, 2, 4."
    assert set(tmp_path.rglob("*")) - before == {tmp_path / "import_preview.png"}
    picture = np.asarray(Image.open("import_preview.png"))
    own = np.asarray(Image.open("images/0_training.jpg"))
    factor = 320 // SIZE[1]
    assert (
        picture[24 : 24 + factor * SIZE[0], : factor * SIZE[1]][::factor, ::factor] == own
    ).all()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "import-dataset needs images and masks"),
        (["--table", "none.csv"], "--table none.csv cannot be read"),
        (["--table", "none.csv", "--images", "images"], "--table names all files"),
        (["--images", "none", "--masks", "masks"], "none is not there"),
        (["--images", "images", "--masks", "masks", "--pages", "z"], "--pages z: allowed"),
        (["--images", "images", "--masks", "masks", "--spacing", "1,2,3"], "--spacing is for"),
        (["--images", "images", "--masks", "a=x", "a=y"], "several folders need a name each"),
        ([*WORDS, "--channel", "CT"], "--channel: 1 names (CT); the images have 3 channels"),
        ([*WORDS, "--dry-run", "--preview", "x.jpg"], "--preview x.jpg: given .jpg"),
        ([*WORDS, "--group", "(x)(y)"], "--group '(x)(y)': its groups are 2 without a name"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(vit_cli, sources, tmp_path, words, told):
    code, _, errors = vit_cli("import-dataset", f"raw/{NAME}", *words)
    assert code in (2, 3)
    assert told in errors
    assert "Traceback" not in errors
    assert not (tmp_path / "raw").exists()


@pytest.mark.parametrize("place", ["images/new.png", "masks/new.png", "photo.png"])
def test_a_preview_is_written_over_no_source(vit_cli, sources, tmp_path, place):
    Image.fromarray(drawn(0, SIZE)).save(tmp_path / "photo.png")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    words = (f"raw/{NAME}", *WORDS, "--dry-run", "--preview", place)
    code, _, errors = vit_cli("import-dataset", *words)
    assert (code, f"--preview {place}" in errors) == (2, True)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_an_earlier_preview_is_written_over(vit_cli, sources, tmp_path):
    for _ in range(2):
        assert vit_cli("import-dataset", f"raw/{NAME}", *WORDS, "--dry-run")[0] == 0
