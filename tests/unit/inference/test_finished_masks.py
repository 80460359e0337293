"""What --continue leaves: masks that are as they were made, by the same model of the same image."""

import json

import pytest
import torch
from predicting_model import model_of

from nnunet_vit.inference.finished_masks import (
    RECORD,
    FinishedMasks,
    already_there,
    left_to_predict,
    maker_digest,
)
from nnunet_vit.inference.inputs import Inputs
from nnunet_vit.inference.outputs.case_outputs import CaseOutputs
from nnunet_vit.inference.prediction_options import PredictionOptions

pytestmark = pytest.mark.unit


@pytest.fixture
def folder(tmp_path):
    """Three images, and the finished masks of a and b."""
    for case in "abc":
        (tmp_path / f"{case}_0000.png").write_text(f"image {case}")
    record = FinishedMasks(tmp_path, "model")
    for case in "ab":
        (tmp_path / f"{case}.png").write_text(f"mask {case}")
        record.add(case, [tmp_path / f"{case}_0000.png"], [f"{case}.png"])
    return tmp_path


def left(folder, maker="model", **options):
    inputs = Inputs({case: [folder / f"{case}_0000.png"] for case in "abc"}, {})
    options = PredictionOptions(resume=True, **options)
    return left_to_predict(inputs, FinishedMasks(folder, maker), outputs(options))


def outputs(options):
    return CaseOutputs(".png", "NaturalImage2DIO", options, members=4)


def test_finished_masks_are_left(folder):
    found = left(folder)
    assert list(found.cases) == ["c"]
    inputs = Inputs({case: [] for case in "abc"}, {})
    assert already_there(inputs, found) == ["a", "b"]
    assert already_there(inputs, inputs) == []


@pytest.mark.parametrize("name", ["a.png", "a_0000.png"])
def test_a_mask_or_an_image_that_has_changed(folder, name):
    (folder / name).write_text("another")
    assert list(left(folder).cases) == ["a", "c"]


@pytest.mark.parametrize(("name", "content"), [("0/1.2", b"other"), ("0/1.3", b"chunk")])
def test_an_ome_zarr_is_known_by_all_that_is_in_it(tmp_path, name, content):
    image = tmp_path / "a.zarr"
    (image / "0").mkdir(parents=True)
    (image / "0/1.2").write_bytes(b"chunk")
    (tmp_path / "a.tif").write_bytes(b"mask")
    record = FinishedMasks(tmp_path, "model")
    record.add("a", [image], ["a.tif"])
    inputs = Inputs({"a": [image]}, {}, large=("a",))
    outputs = CaseOutputs(
        ".png", "NaturalImage2DIO", PredictionOptions(resume=True), large=inputs.large
    )

    def left():
        return left_to_predict(inputs, FinishedMasks(tmp_path, "model"), outputs)

    assert list(left().cases) == []
    (image / name).write_bytes(content)
    assert list(left().cases) == ["a"]


def test_a_mask_that_is_gone_another_model_and_probabilities_that_are_missing(folder):
    (folder / "b.png").unlink()
    assert list(left(folder).cases) == ["b", "c"]
    assert list(left(folder, maker="another").cases) == ["a", "b", "c"]
    assert list(left(folder, probabilities=True).cases) == ["a", "b", "c"]
    assert list(left(folder, uncertainty=True).cases) == ["a", "b", "c"]
    assert list(left(folder, overlays=True).cases) == ["b", "c"]  # drawn of finished masks too


def test_without_continue_all_are_predicted(folder):
    inputs = Inputs({case: [folder / f"{case}_0000.png"] for case in "abc"}, {})
    record = FinishedMasks(folder, "model")
    assert left_to_predict(inputs, record, outputs(PredictionOptions())) is inputs


@pytest.mark.parametrize("line", ['{"case": "b", "made', "[]", '{"case": 3}', "\x00\xff"])
def test_a_record_that_a_kill_has_cut_off(folder, line):
    with (folder / RECORD).open("a") as record:
        record.write(line)
    assert list(left(folder).cases) == ["c"]


def test_the_last_line_of_a_case_counts(folder):
    (folder / "a.png").write_text("new")
    FinishedMasks(folder, "other").add("a", [folder / "a_0000.png"], ["a.png"])
    assert list(left(folder, maker="other").cases) == ["b", "c"]
    assert list(left(folder).cases) == ["a", "c"]


def test_the_digest_of_a_model_is_of_all_its_parts():
    how = {"mirroring": True}
    models = [model_of(), model_of(folds=2), model_of(spacing=(2, 1))]
    digests = {maker_digest([model], how) for model in models}
    digests.add(maker_digest([models[0]], {"mirroring": False}))
    changed = model_of()
    with torch.no_grad():
        changed.networks[0][0].bias[0] += 1e-6
    digests.add(maker_digest([changed], how))
    changed.networks[0].bfloat16()
    digests.add(maker_digest([changed], how))
    assert len(digests) == 6
    assert maker_digest([model_of()], how) == maker_digest([models[0]], how)


def test_each_line_is_json(folder):
    lines = [json.loads(line) for line in (folder / RECORD).read_text().splitlines()]
    assert [line["case"] for line in lines] == ["a", "b"]
    assert list(lines[0]["files"]) == ["a.png"]


def test_the_spacing_beside_a_stack_of_slices_has_changed(tmp_path):
    image, spacing = tmp_path / "a_0000.tif", tmp_path / "a.json"
    image.write_text("slices")
    spacing.write_text('{"spacing": [1, 1, 1]}')
    masks = tmp_path / "masks"
    masks.mkdir()
    (masks / "a.tif").write_text("mask")
    FinishedMasks(masks, "model").add("a", [image], ["a.tif"])
    assert FinishedMasks(masks, "model").holds("a", [image], ["a.tif"])
    spacing.write_text('{"spacing": [5, 1, 1]}')
    assert not FinishedMasks(masks, "model").holds("a", [image], ["a.tif"])
