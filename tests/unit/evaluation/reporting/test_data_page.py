"""The page of a dataset says all that was found, and nothing in a file's name becomes markup."""

import json

import numpy as np
import pytest
from nnunet_folders import nnunet_folders, one_thread, said, write_dataset
from PIL import Image

from nnunet_vit.data.checking.check_dataset import check_dataset
from nnunet_vit.errors import ConfigError
from nnunet_vit.evaluation.reporting.data_page import check_page, write_data_page

__all__ = ["nnunet_folders", "one_thread", "said", "write_dataset"]

pytestmark = pytest.mark.unit

CASES = ("a", "b", "<script>x", "d", "e")


@pytest.fixture
def raw(write_dataset):
    """Five pictures with masks of two classes; of b the mask is wrong, of d the image."""
    folder = write_dataset(
        cases=(), channel_names=dict.fromkeys("012", "R"), numTraining=5,
        labels={"background": 0, "disc": 1, "<b>cup": 2},
    )  # fmt: skip
    draws = np.random.default_rng(0)
    for case in CASES:
        image = draws.integers(0, 255, (24, 30, 3), np.uint8)
        label = np.zeros((24, 30), np.uint8)
        label[4:9, 4:9] = 7 if case == "b" else 1
        Image.fromarray(image).save(folder / f"imagesTr/{case}_0000.png")
        Image.fromarray(label).save(folder / f"labelsTr/{case}.png")
    (folder / "imagesTr/d_0000.png").write_bytes(b"")
    return folder


@pytest.fixture
def page(raw, said, tmp_path):
    path = tmp_path / "page.html"
    write_data_page(check_dataset("5", said), path, "5", progress=said)
    return path.read_text(encoding="utf-8")


def test_all_that_was_found_is_there(page):
    for words in ("holds the value 7", "is empty, 0 bytes", "24 x 30 pixels", "b.png", "d_"):
        assert words in page
    assert page.count("<img ") == 4  # d has no image to draw
    assert "vit_cli check-data 5 --html" in page


def test_names_are_no_markup_and_no_address_is_asked(page):
    assert "<script>x" not in page and "<b>cup" not in page
    assert "&lt;b&gt;cup" in page
    assert "http://" not in page and "https://" not in page
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page


def test_a_page_is_replaced_and_nothing_else(raw, said, tmp_path):
    path = tmp_path / "page.html"
    write_data_page(check_dataset("5", said), path, "5", progress=said)
    check_page(path)
    (tmp_path / "own.html").write_text("<!doctype html>my own")
    for other in (tmp_path, tmp_path / "own.html", tmp_path / "none/page.html"):
        with pytest.raises(ConfigError, match="--html"):
            check_page(other)


def test_a_dataset_of_which_nothing_can_be_read(raw, said, tmp_path):
    for file in raw.glob("imagesTr/*"):
        file.write_bytes(b"")
    path = tmp_path / "page.html"
    write_data_page(check_dataset("5", said), path, "5", progress=said)
    assert "No case can be drawn" in path.read_text(encoding="utf-8")


def test_a_dataset_without_images(raw, said, tmp_path):
    description = json.loads((raw / "dataset.json").read_text())
    (raw / "dataset.json").write_text(json.dumps({**description, "file_ending": ".bmp"}))
    path = tmp_path / "page.html"
    write_data_page(check_dataset("5", said), path, "5", progress=said)
    assert "holds no image *.bmp" in path.read_text(encoding="utf-8")
