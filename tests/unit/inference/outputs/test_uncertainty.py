"""What --uncertainty writes is what its definition says, and the masks stay as they are."""

import csv

import numpy as np
import pytest
import SimpleITK
import tifffile
import torch
from predicting_model import IGNORING, LABELS, REGIONS, model_of, save_images
from skimage.io import imread

from nnunet_vit.inference.entropy import disagreement_of, entropy_of
from nnunet_vit.inference.inputs import Inputs
from nnunet_vit.inference.outputs.case_outputs import outputs_of
from nnunet_vit.inference.outputs.uncertainty_table import write_uncertainty
from nnunet_vit.inference.predicting.pipeline import predict_cases
from nnunet_vit.inference.prediction_options import PredictionOptions
from nnunet_vit.report.progress import Progress

pytestmark = pytest.mark.unit

TILE = (24, 32)


def predict(model, files, folder, **options):
    """Return what is to be written, after it was."""
    folder.mkdir()
    options = PredictionOptions("cpu", **options)
    predict_cases(Inputs(files, {}), folder, model, options=options, progress=Progress())
    return outputs_of(model, options)


@pytest.mark.parametrize("labels", [LABELS, REGIONS, IGNORING], ids=["labels", "regions", "ignore"])
@pytest.mark.parametrize("probabilities", [True, False])
def test_masks_stay_as_they_are(tmp_path, labels, probabilities):
    model = model_of(labels=labels, folds=2)
    files = save_images(tmp_path / "images", ".png", [TILE, (61, 80), (7, 9)])
    predict(model, files, tmp_path / "plain", probabilities=probabilities)
    options = {"uncertainty": True, "probabilities": probabilities}
    outputs = predict(model, files, tmp_path / "masks", **options)
    for case, (file,) in files.items():
        mask = (tmp_path / f"masks/{case}.png").read_bytes()
        assert mask == (tmp_path / f"plain/{case}.png").read_bytes()
        assert all((tmp_path / "masks" / name).is_file() for name in outputs.names(case))
        entropy, spread = maps_of(tmp_path / "masks", case, outputs)
        assert entropy.shape == imread(file).shape
        assert 0 <= spread.min() < spread.max() <= 1
        assert (spread <= entropy + 2e-3).all()


def maps_of(masks, case, outputs):
    found = [tifffile.imread(masks / name) for name in outputs.uncertainty(case)]
    assert {values.dtype for values in found} == {np.dtype(np.float32)}
    return found


@pytest.mark.parametrize("labels", [LABELS, REGIONS], ids=["labels", "regions"])
def test_the_maps_are_those_of_folds_and_mirrors(tmp_path, labels):
    model = model_of(labels=labels, folds=3)
    files = save_images(tmp_path / "images", ".png", [TILE])
    outputs = predict(model, files, tmp_path / "masks", uncertainty=True)
    preprocessor = model.configuration.preprocessor_class(verbose=False)
    image, _, _ = preprocessor.run_case(
        [str(files["case_0"][0])], None, model.plans, model.configuration, model.description
    )
    image = torch.from_numpy(image)[:, 0][None]
    members = []
    for network in model.networks:
        for axes in ([], [2], [3], [2, 3]):
            logits = network(torch.flip(image, axes)).float()
            members.append(torch.flip(logits, axes)[0].detach())
    logits, regions = torch.stack(members), labels is REGIONS
    values = torch.sigmoid(logits) if regions else torch.softmax(logits, dim=1)
    entropy, spread = maps_of(tmp_path / "masks", "case_0", outputs)
    np.testing.assert_allclose(entropy, entropy_of(values.mean(0), regions=regions), atol=2e-3)
    np.testing.assert_allclose(spread, disagreement_of(values, regions=regions), atol=2e-3)


def test_one_network_without_mirroring_disagrees_with_nobody(tmp_path):
    model = model_of(axes=None)
    files = save_images(tmp_path / "images", ".png", [TILE])
    outputs = predict(model, files, tmp_path / "masks", uncertainty=True)
    assert [file.name for file in (tmp_path / "masks/uncertainty").iterdir()] == [
        "case_0_entropy.tif"
    ]
    reader = model.plans.image_reader_writer_class
    write_uncertainty(tmp_path / "masks", list(files), outputs, reader)
    (row,) = read_table(tmp_path / "masks/uncertainty.csv")
    assert row["foreground_disagreement"] == row["image_disagreement"] == ""


def test_volumes_keep_the_place_of_the_image(tmp_path):
    model = model_of(".nii.gz", folds=2, spacing=(0.9, 1.1))
    files = save_images(tmp_path / "images", ".nii.gz", [(4, 40, 37)], spacing=(5.0, 0.7, 1.3))
    image = SimpleITK.ReadImage(str(files["case_0"][0]))
    image.SetOrigin((3, 4, 5))
    image.SetDirection((0, 1, 0, 1, 0, 0, 0, 0, -1))
    SimpleITK.WriteImage(image, str(files["case_0"][0]))
    outputs = predict(model, files, tmp_path / "masks", uncertainty=True)
    for name in outputs.uncertainty("case_0"):
        found = SimpleITK.ReadImage(str(tmp_path / "masks" / name))
        assert found.GetPixelID() == SimpleITK.sitkFloat32
        for what in ("GetSize", "GetSpacing", "GetOrigin", "GetDirection"):
            np.testing.assert_allclose(getattr(found, what)(), getattr(image, what)())


def read_table(file):
    with file.open() as content:
        return list(csv.DictReader(content))


def test_the_table_has_those_to_look_at_first(tmp_path):
    model = model_of()
    outputs = outputs_of(model, PredictionOptions(uncertainty=True))
    (tmp_path / "uncertainty").mkdir()
    entropies = {"sure": (0.1, 0.0), "unsure": (0.9, 0.2), "empty": (0.3, 0.4), "missed": (0.6, 0)}
    writer = model.plans.image_reader_writer_class()
    for case, (inside, outside) in entropies.items():
        mask = np.zeros((1, 8, 8), np.uint8)
        mask[0, :2] = 0 if case in ("empty", "missed") else 1
        writer.write_seg(mask, str(tmp_path / f"{case}.png"), {})
        values = np.full((8, 8), outside, np.float32)
        values[:2] = inside
        tifffile.imwrite(tmp_path / outputs.entropy(case), values)
        tifffile.imwrite(tmp_path / outputs.disagreement(case), values / 2)
    file = write_uncertainty(tmp_path, list(entropies), outputs, type(writer))
    rows = read_table(file)
    assert [row["case"] for row in rows] == ["unsure", "missed", "sure", "empty"]
    assert [float(row["doubt"]) for row in rows] == [0.9, 0.6, 0.1, 0]
    assert [row["foreground_entropy"] for row in rows] == ["0.9000", "", "0.1000", ""]
    assert rows[0]["foreground_disagreement"] == "0.4500"
    assert float(rows[0]["image_entropy"]) == pytest.approx(0.9 / 4 + 0.2 * 3 / 4, abs=1e-4)
    assert [row["foreground_pixels"] for row in rows] == ["16", "0", "16", "0"]
    assert [row["rank"] for row in rows] == ["1", "2", "3", "4"]
