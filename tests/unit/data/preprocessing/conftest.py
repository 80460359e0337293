"""A small dataset, and a planner and a preprocessor that write what nnU-Net's write, at once."""

import json
import pickle

import blosc2
import numpy as np
import pytest
from small_plans import CONFIGURATION, plans_of

from nnunet_vit.data.channels import schemes_of_names
from nnunet_vit.data.dataset import find_dataset
from nnunet_vit.data.preprocessing import adding, making
from nnunet_vit.nnunet.folders import folder

PLANS = plans_of(
    "Dataset005_Mine",
    **{
        "2d": {**CONFIGURATION, "patch_size": [32, 32]},
        "2d_small": {"inherits_from": "2d", "data_identifier": "small", "spacing": [2.0, 2.0]},
        "2d_batch": {"inherits_from": "2d", "batch_size": 4},
        "3d_fullres": {"patch_size": [8, 8, 8], "architecture": {"network_class_name": "x"}},
    },
)


@pytest.fixture
def nnunet(monkeypatch):
    """nnU-Net's planner and preprocessor, without its arithmetic; returns what they were told."""
    calls = []

    def plan(dataset, files, states, *, read, progress):
        calls.append("plan")
        shown = json.loads((folder("raw") / dataset.name / "dataset.json").read_text())
        assert sorted(shown["dataset"]) == sorted(files)
        root = dataset.preprocessed
        shapes = [[1, 32, 32]] * len(files)
        (root / "dataset_fingerprint.json").write_text(json.dumps({"shapes_after_crop": shapes}))
        plans = json.loads(json.dumps(PLANS))
        names = schemes_of_names(shown["channel_names"])
        plans["configurations"]["2d"]["normalization_schemes"] = names
        plans["cases"] = shown["numTraining"]
        (root / "nnUNetPlans.json").write_text(json.dumps(plans))

    def preprocess(maker, files, cases, *, states, read, progress):
        calls.append(sorted(cases))
        data = maker.target.path
        data.mkdir(exist_ok=True)
        for case in cases:
            assert all(image.is_file() for image in files[case])
            for name in (case, f"{case}_seg"):
                blosc2.asarray(np.zeros((1, 1, 2, 2)), urlpath=str(data / f"{name}.b2nd"), mode="w")
            (data / f"{case}.pkl").write_bytes(pickle.dumps({}))

    monkeypatch.setattr(making, "plan", plan)
    for module in (making, adding):
        monkeypatch.setattr(module, "preprocess", preprocess)
    return calls


@pytest.fixture
def raw(write_dataset):
    """A raw dataset of six cases whose files differ; returns its folder."""
    path = write_dataset(cases="abcdef")
    for number, file in enumerate(sorted(path.rglob("*.png"))):
        file.write_bytes(b"picture %d" % number)
    return path


@pytest.fixture
def rewrite(raw):
    """`rewrite(labels={…})` changes keys of the raw dataset.json; None takes one out."""

    def change(**changes):
        path = raw / "dataset.json"
        content = json.loads(path.read_text()) | changes
        content = {key: value for key, value in content.items() if value is not None}
        path.write_text(json.dumps(content))

    return change


@pytest.fixture
def add(raw):
    """`add("g", "h")` adds cases to the raw data."""

    def write(*cases):
        for case in cases:
            (raw / "imagesTr" / f"{case}_0000.png").write_bytes(b"image %s" % case.encode())
            (raw / "labelsTr" / f"{case}.png").write_bytes(b"label %s" % case.encode())

    return write


@pytest.fixture
def prepared(raw, nnunet, said):
    """Prepare the dataset, fold 0 of 2d, and forget what was called; returns its folder."""
    from nnunet_vit.data.preprocessing.plan_and_preprocess import prepare

    dataset = find_dataset(5)
    prepare(dataset, "2d", said, fold=0)
    nnunet.clear()
    said.lines.clear()
    return dataset.preprocessed


@pytest.fixture
def again(said):
    """`again(update=True)` prepares once more, as another start would."""
    from nnunet_vit.data.preprocessing.plan_and_preprocess import prepare
    from nnunet_vit.data.preprocessing.refusals import Asked

    def run(configuration="2d", fold=0, **asked):
        return prepare(find_dataset(5), configuration, said, asked=Asked(**asked), fold=fold)

    return run


@pytest.fixture
def real_truth(prepared):
    """Masks that can be read in the place of the copied label files."""
    from PIL import Image

    for copy in (prepared / "gt_segmentations").iterdir():
        Image.new("L", (8, 8)).save(copy)
