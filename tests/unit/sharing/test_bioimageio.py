"""Records for bioimage.io: its packages accept them, or a model is refused."""

import json
import zipfile

import numpy as np
import pytest
from head_folders import save_pictures, write_head_folder
from predicting_model import REGIONS, model_of
from skimage.io import imread

from nnunet_vit.errors import ConfigError, DataError, MachineError, ModelError
from nnunet_vit.report.progress import Progress
from nnunet_vit.sharing.bioimageio import export_bioimageio as exporting
from nnunet_vit.sharing.bioimageio.processing_steps import postprocessing, prepared, preprocessing
from nnunet_vit.sharing.bioimageio.record_facts import RecordFacts
from nnunet_vit.sharing.export_source import Source
from nnunet_vit.sharing.onnx.around_network import normalization
from nnunet_vit.sharing.onnx.example_tiles import given_tile

pytestmark = pytest.mark.unit
FACTS = RecordFacts(["Jane Doe", "John Roe"], "CC-BY-4.0")
Z_SCORE = {"scheme": "z_score", "nonzero_only": False, "least_std": 1e-8}
CT = {"scheme": "clip_and_scale", "lower": 10, "upper": 200, "mean": 90.0, "std": 30.0}


@pytest.fixture
def bioimageio(onnx_packages):
    for name in ("bioimageio.spec", "bioimageio.core"):
        pytest.importorskip(name, reason="pip install -e '.[bioimageio]' for it")
    try:
        exporting.check_versions()
    except MachineError as error:
        pytest.skip(str(error))


def export(folder, file, facts=FACTS):
    return exporting.export_bioimageio(
        Source(folder), file, facts=facts, opset=None, progress=Progress()
    )


MODELS = {
    "z-score": {},
    "regions, colours": {"labels": REGIONS, "schemes": ("RGBTo01Normalization",) * 3},
    "CT": {"schemes": ("CTNormalization",)},
    "rescaled": {"schemes": ("RescaleTo01Normalization",) * 3},
    "as they are": {"schemes": ("NoNormalization",)},
}


@pytest.mark.slow
@pytest.mark.usefixtures("bioimageio")
@pytest.mark.parametrize("name", MODELS)
def test_a_record_passes(name, tmp_path):
    from bioimageio.core import predict, test_model
    from bioimageio.spec import load_model_description

    folder = write_head_folder(tmp_path / "model", backbone="siglip", **MODELS[name])
    told = export(folder, tmp_path / "out/record.zip")
    assert told.startswith(f"bioimage.io record: {tmp_path / 'out/record.zip'} (")
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["record.zip"]
    assert test_model(tmp_path / "out/record.zip").status == "passed"
    record = load_model_description(tmp_path / "out/record.zip")
    assert [author.name for author in record.authors] == ["Jane Doe", "John Roe"]
    with zipfile.ZipFile(tmp_path / "out/record.zip") as content:
        (tmp_path / "cover.png").write_bytes(content.read("cover.png"))
        assert "## Validation" in content.read("README.md").decode()
    cover = imread(tmp_path / "cover.png")
    assert cover.shape[1] == 2 * cover.shape[0]
    channels = len(MODELS[name].get("schemes", "1"))
    (picture,) = save_pictures(tmp_path / "images", [(48, 64)], channels=channels)
    image = np.atleast_3d(imread(picture)).transpose(2, 0, 1)[None].astype(np.float32)
    found = predict(model=record, inputs={"image": image}).members["probabilities"].data
    assert found.shape == (1, len(record.outputs[0].axes[1].channel_names), 48, 64)
    assert 0 <= float(found.min()) <= float(found.max()) <= 1


@pytest.mark.parametrize(
    ("facts", "problem"),
    [
        (RecordFacts(), "needs --author and --licence"),
        (RecordFacts(["Jane Doe"]), "needs --licence"),
        (RecordFacts(["a/b"], "MIT"), "--author"),
        (RecordFacts(["Jane Doe"], "MIT", "an é"), "--title"),
    ],
)
def test_what_no_model_knows(facts, problem, tmp_path):
    with pytest.raises(ConfigError, match=problem):
        export(tmp_path, tmp_path / "record.zip", facts)


@pytest.mark.usefixtures("bioimageio")
def test_a_licence_that_nobody_knows(tmp_path):
    facts = RecordFacts(["Jane Doe"], "CC-BY-4")
    with pytest.raises(ConfigError, match=r"no such identifier\. Did you mean 'CC-BY-4\.0'"):
        export(tmp_path, tmp_path / "record.zip", facts)


def test_a_name_that_cannot_be(tmp_path):
    with pytest.raises(ConfigError, match=r"ends in \.zip"):
        export(tmp_path, tmp_path / "record.bioimageio")


def test_packages_that_are_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(exporting, "PACKAGES", ("bioimageio.none",))
    with pytest.raises(MachineError, match=r"bioimageio\.none.*nnunet-vit\[bioimageio\]"):
        export(tmp_path, tmp_path / "record.zip")


@pytest.mark.usefixtures("bioimageio")
def test_a_record_that_does_not_pass(tmp_path, monkeypatch):
    def refused(record):
        raise ModelError("refused")

    monkeypatch.setattr(exporting, "check_passes", refused)
    folder = write_head_folder(tmp_path / "model", backbone="siglip")
    with pytest.raises(ModelError, match="refused"):
        export(folder, tmp_path / "out/record.zip")
    assert list((tmp_path / "out").iterdir()) == []


def test_an_image_as_example(tmp_path):
    model = model_of()
    files = save_pictures(tmp_path, [(40, 32), (20, 60)])
    np.testing.assert_array_equal(given_tile(model, files[:1])[0], imread(files[0])[8:32])
    (tmp_path / "none.png").write_bytes(b"x")
    for wrong, problem in (
        ([files[1]], "1 channels of 20 x 60 pixels; needed: 1 of 24 x 32"),
        (files[:1] * 2, "2 channels of"),
        ([tmp_path / "none.png"], "cannot be read"),
    ):
        with pytest.raises(DataError, match=problem):
            given_tile(model, wrong)


@pytest.mark.parametrize(
    ("rules", "problem"),
    [
        ([Z_SCORE, {"scheme": "none"}], "in several ways, z_score, none"),
        ([{**Z_SCORE, "nonzero_only": True}], "pixels that are not 0 alone"),
        ([CT, {**CT, "upper": 300}], "clipped to several ranges"),
    ],
)
def test_normalization_without_words(rules, problem):
    with pytest.raises(ModelError, match=f"{problem}.*--onnx"):
        preprocessing(rules)


@pytest.mark.parametrize("scheme", ["ZScore", "CT", "RescaleTo01", "RGBTo01", "No"])
def test_steps_do_what_nnunet_does(scheme):
    from nnunetv2.preprocessing.normalization import default_normalization_schemes as stock

    properties = {"mean": 110.0, "std": 35.0, "percentile_00_5": 20.0, "percentile_99_5": 210.0}
    tile = np.random.default_rng(0).uniform(0, 255, (2, 20, 30)).astype(np.float32)
    own = getattr(stock, f"{scheme}Normalization")(False, properties)
    expected = [own.run(channel.copy(), None) for channel in tile]
    rule = normalization(f"{scheme}Normalization", properties, masked=False)
    found = prepared(tile, preprocessing([rule, rule]))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=2e-5)


def test_probabilities():
    assert postprocessing("softmax") == [{"id": "softmax", "kwargs": {"axis": "channel"}}]
    assert json.dumps(postprocessing("sigmoid")) == '[{"id": "sigmoid"}]'
