"""Preprocessed data that were copied from elsewhere run no program of theirs."""

import os
import pickle

import numpy as np
import pytest

from nnunet_vit.data.preprocessing.foreign_pickles import refuse_foreign_pickles
from nnunet_vit.errors import DataError

pytestmark = pytest.mark.unit


class Program:
    """Makes a folder where it is unpickled."""

    def __init__(self, place):
        self.place = place

    def __reduce__(self):
        return os.mkdir, (str(self.place),)


def test_a_program_is_refused_and_not_run(tmp_path):
    content = {"spacing": [1.0, 1.0], "more": Program(tmp_path / "ran")}
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(content))
    with pytest.raises(DataError, match=r"a\.pkl would call (posix|nt)\.mkdir"):
        refuse_foreign_pickles(tmp_path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_what_nnunet_writes_is_read(tmp_path, protocol):
    content = {
        "shape": (1, 2), "bbox": [[0, np.int64(3)]], "spacing": np.float64(2.0),
        "class_locations": {1: np.arange(6).reshape(2, 3), (1, 2): np.zeros(0, np.uint8)},
    }  # fmt: skip
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(content, protocol))
    (tmp_path / "b.pkl").write_bytes(b"damaged")
    refuse_foreign_pickles(tmp_path)
    refuse_foreign_pickles(tmp_path / "not there")
