"""A preprocessed case that nnU-Net cannot read is named, with all others like it."""

import numpy as np
import pytest

from nnunet_vit.data.preprocessing.damaged_cases import damage_named
from nnunet_vit.errors import DataError
from nnunet_vit.report.progress import Progress

pytestmark = pytest.mark.unit

BLOCKS = {"chunks": (1, 1, 64, 64), "blocks": (1, 1, 64, 64)}


@pytest.fixture
def data(tmp_path):
    from nnunetv2.training.dataloading.nnunet_dataset import nnUNetDatasetBlosc2

    pixels, labels = np.random.rand(1, 1, 64, 64).astype("f4"), np.zeros((1, 1, 64, 64), "i1")
    for case in "abc":
        nnUNetDatasetBlosc2.save_case(
            pixels, labels, {"spacing": 1}, str(tmp_path / case), **BLOCKS
        )
    return tmp_path


def raised(data):
    with pytest.raises(DataError) as caught, damage_named(data, Progress()):
        raise DataError("nnU-Net cannot train.")
    return str(caught.value)


def test_what_is_not_about_a_file_stays_as_it_is(data):
    assert raised(data) == "nnU-Net cannot train."


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize(
    "damage", [cut, lambda path: path.write_bytes(b""), lambda path: path.unlink()]
)
@pytest.mark.parametrize("name", ["b.b2nd", "b_seg.b2nd", "b.pkl"])
def test_a_damaged_case_is_named(data, name, damage):
    damage(data / name)
    error = raised(data)
    assert f"{data}: 1 preprocessed case cannot be read: b (" in error
    assert "--preprocess-again" in error


def test_all_damaged_cases_are_named(data):
    cut(data / "a.b2nd")
    cut(data / "c_seg.b2nd")
    error = raised(data)
    assert "2 preprocessed cases cannot be read: a (" in error
    assert ", c (" in error
