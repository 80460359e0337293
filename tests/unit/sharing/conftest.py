"""Models and bundles for every test of this room; nothing of it is changed."""

import pytest
from shared_models import exported, stored_model, write_summaries


@pytest.fixture
def onnx_packages():
    """Skip where the extra onnx is not installed."""
    for name in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(name, reason="pip install -e '.[onnx]' for it")


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    """A validated model of three folds with frozen blocks, started from a file of weights."""
    model = stored_model("frozen", tmp_path_factory.mktemp("somebody's results"), folds=3)
    write_summaries(model)
    return model


@pytest.fixture(scope="session")
def bundle(model, tmp_path_factory):
    """Its bundle."""
    return exported(model, tmp_path_factory.mktemp("packages") / "model.zip")


@pytest.fixture(scope="session")
def small_bundle(tmp_path_factory):
    """The bundle of one fold of a fully trained model with a linear head."""
    folder = tmp_path_factory.mktemp("small")
    return exported(stored_model("full", folder), folder / "model.zip")


@pytest.fixture
def results(tmp_path):
    """A results folder with another model in it."""
    (tmp_path / "results/Dataset001_Other/a__b__c").mkdir(parents=True)
    return tmp_path / "results"
