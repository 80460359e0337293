"""Raw datasets of six sound cases, pictures or volumes, to be spoilt by a test."""

import json

import numpy as np
import pytest
from nnunet_folders import Said
from PIL import Image

from nnunet_vit.data.checking import kept_looks
from nnunet_vit.data.checking.check_dataset import check_dataset

CASES = ("a", "b", "c", "d", "e", "f")
SIZE = 24
DRAWS = np.random.default_rng(0)


class Watched(Said):
    """Keeps the cases that are read, and warnings as lines."""

    def __init__(self):
        super().__init__()
        self.cases = []

    def case(self, name):
        self.cases.append(name)

    def warn(self, text):
        self.lines.append(text)


@pytest.fixture(autouse=True)
def trusted_clock(monkeypatch):
    """Files that were written this moment are kept too: no test changes them so soon."""
    monkeypatch.setattr(kept_looks, "CLOCK", 0)


@pytest.fixture
def watched():
    return Watched()


@pytest.fixture
def pictures(write_dataset):
    """The folder of a dataset of RGB pictures with masks of two classes."""
    labels = {"background": 0, "disc": 1, "cup": 2}
    names = dict.fromkeys("012", "R")
    raw = write_dataset(cases=(), channel_names=names, labels=labels, numTraining=len(CASES))
    for case in CASES:
        put_case(raw, case)
    return raw


@pytest.fixture
def volumes(write_dataset):
    """The folder of a dataset of NIfTI volumes."""
    raw = write_dataset(
        cases=(), channel_names={"0": "MRI"}, labels={"background": 0, "disc": 1},
        numTraining=len(CASES), file_ending=".nii.gz",
    )  # fmt: skip
    for case in CASES:
        put_volume(raw / f"imagesTr/{case}_0000.nii.gz", DRAWS.random((4, SIZE, SIZE), np.float32))
        put_volume(raw / f"labelsTr/{case}.nii.gz", mask(1)[None].repeat(4, 0))
    return raw


@pytest.fixture
def findings(watched):
    """`findings()` checks the dataset and returns what is wrong and what is doubtful, as texts."""

    def check(wanted="5"):
        found = check_dataset(wanted, watched).findings
        errors = "\n".join(f"{fault.problem} {fault.fix}" for fault in found.all_errors)
        return errors, "\n".join(f"{fault.problem} {fault.fix}" for fault in found.warnings)

    return check


def picture(*more):
    return DRAWS.integers(0, 255, (SIZE, SIZE, *more), np.uint8)


def mask(*values):
    found = np.zeros((SIZE, SIZE), np.uint8)
    for number, value in enumerate(values):
        found[4 + 5 * number : 8 + 5 * number, 4:9] = value
    return found


def put_case(raw, case, image=None, label=None):
    Image.fromarray(picture(3) if image is None else image).save(raw / f"imagesTr/{case}_0000.png")
    Image.fromarray(mask(1, 2) if label is None else label).save(raw / f"labelsTr/{case}.png")


def put_volume(file, values, spacing=(1.0, 1.0, 5.0), **header):
    import SimpleITK

    image = SimpleITK.GetImageFromArray(values, isVector=False)
    image.SetSpacing(spacing)
    if "direction" in header:
        image.SetDirection(header["direction"])
    SimpleITK.WriteImage(image, str(file))


def describe(raw, **changes):
    path = raw / "dataset.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
