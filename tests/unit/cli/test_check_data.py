"""`vit_cli check-data` as a person and as a program call it."""

import json

import numpy as np
import pytest
from nnunet_folders import nnunet_folders, write_dataset
from PIL import Image

__all__ = ["nnunet_folders", "write_dataset"]

pytestmark = pytest.mark.unit


@pytest.fixture
def raw(clean_environment, nnunet_folders, write_dataset):
    """Six pictures with masks of one class."""
    folder = write_dataset(
        cases=(), channel_names=dict.fromkeys("012", "R"), numTraining=6,
        labels={"background": 0, "disc": 1},
    )  # fmt: skip
    draws = np.random.default_rng(0)
    for case in "abcdef":
        image = draws.integers(0, 255, (24, 24, 3), np.uint8)
        Image.fromarray(image).save(folder / f"imagesTr/{case}_0000.png")
        put_mask(folder, case, 1)
    return folder


def put_mask(folder, case, value):
    label = np.zeros((24, 24), np.uint8)
    label[4:9, 4:9] = value
    Image.fromarray(label).save(folder / f"labelsTr/{case}.png")


def test_a_sound_dataset(vit_cli, raw):
    code, out, err = vit_cli("check-data", "5")
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == "Checking the files of Dataset005_Mine: 6 cases …"
    assert out.splitlines()[-1] == "No errors."
    assert "disc: 4.34 % of the pixels, in 6 of 6 cases" in out


def test_warnings_alone_are_no_failure(vit_cli, raw):
    put_mask(raw, "b", 0)
    code, out, err = vit_cli("check-data", "Dataset005_Mine")
    assert (code, err) == (0, "")
    assert "Warning: 1 case without foreground: b." in out
    assert out.splitlines()[-1] == "No errors; see the warnings."


def test_errors(vit_cli, raw):
    put_mask(raw, "b", 7)
    code, out, err = vit_cli("check-data", "5")
    assert code == 3
    assert err.startswith(f"error[data]: {raw / 'labelsTr/b.png'} holds the value 7")
    assert "No errors" not in out


def test_for_programs(vit_cli, raw):
    put_mask(raw, "b", 7)
    code, out, err = vit_cli("check-data", "5", "--json")
    found = json.loads(out)
    assert (code, found["sound"], len(found["errors"])) == (3, False, 1)
    assert err.startswith("error[data]")


def test_a_folder_needs_none_of_nnunets(vit_cli, raw, monkeypatch):
    for key in ("raw", "preprocessed", "results"):
        monkeypatch.delenv(f"nnUNet_{key}")
    assert vit_cli("check-data", str(raw))[0] == 0
    code, _, err = vit_cli("check-data", "5")
    assert code == 2
    assert err.startswith("error[config]: nnU-Net's folders are not known: nnUNet_raw (or")


def test_a_page_and_a_copy_at_once(vit_cli, raw, tmp_path):
    put_mask(raw, "b", 255)
    words = ("--html", "page.html", "--repair", "Dataset006_Repaired")
    code, out, err = vit_cli("check-data", "5", *words)
    assert (code, err) == (0, "")
    assert "  labelsTr/b.png: 1 for 255" in out
    assert (raw.parent / "Dataset006_Repaired/repairs.csv").is_file()
    assert "Dataset006_Repaired" in (tmp_path / "page.html").read_text(encoding="utf-8")
    assert vit_cli("check-data", "5", "--repair", "Dataset006_Repaired")[0] == 2


def test_nothing_to_mend(vit_cli, raw):
    code, out, _ = vit_cli("check-data", "5", "--repair", "Dataset006_Repaired")
    assert code == 0
    assert "Nothing can be repaired in one way alone" in out
    assert not (raw.parent / "Dataset006_Repaired").exists()


@pytest.mark.parametrize("wanted", ["7", "Dataset005_mine", "."])
def test_no_such_dataset(vit_cli, raw, wanted):
    code, _, err = vit_cli("check-data", wanted)
    assert (code, "error[data]" in err) == (3, True)
