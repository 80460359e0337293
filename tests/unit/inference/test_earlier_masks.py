"""A folder of masks that is predicted into twice: what is replaced and what stays is said."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from nnunet_vit.errors import MachineError
from nnunet_vit.inference import predict
from nnunet_vit.inference.earlier_masks import (
    of_earlier_prediction,
    overwritable,
    without_stale,
)
from nnunet_vit.inference.fold_weights import FoldWeights
from nnunet_vit.inference.inputs import Inputs
from nnunet_vit.inference.outputs.case_outputs import CaseOutputs
from nnunet_vit.inference.prediction_options import PredictionOptions
from nnunet_vit.report.progress import Progress

pytestmark = pytest.mark.unit


@pytest.fixture
def said(tmp_path):
    """`said("a.png", "b.png")` returns what is said before a and c are written beside these."""

    def lines(*there):
        for name in there:
            (tmp_path / name).touch()
        expected = [tmp_path / "a.png", tmp_path / "c.png"]
        return [line.replace(str(tmp_path), "M") for line in
                of_earlier_prediction(tmp_path, expected, ".png")]  # fmt: skip

    return lines


def test_nothing_is_said_of_a_new_folder(said):
    assert said() == []


def test_nothing_is_said_of_what_is_no_mask(said):
    assert said("dataset.json", "summary.json", "._a.png") == []


def test_masks_that_are_replaced(said):
    assert said("a.png") == ["Replaced in M: 1 earlier mask."]


def test_scores_of_masks_that_are_replaced(said):
    (line,) = said("a.png", "c.png", "summary.json")
    assert line == (
        "Replaced in M: 2 earlier masks; M/summary.json is of these, not of the new ones."
    )


def test_masks_that_stay(said):
    assert said("a.png", "b.png", "d.png")[1] == (
        "Left in M: b.png, d.png, of an earlier prediction; evaluate takes them for new."
    )


def test_what_belongs_to_masks_that_are_replaced_is_deleted(tmp_path):
    others = ["b.npz", "c.nii.npz", "uncertainty/b_entropy.tif"]
    stale = ["a.npz", "a.pkl", "overlays/a.png", "probabilities/a.nii.gz",
             "uncertainty/a_entropy.tif", "instances/a.tif", "volumes.csv"]  # fmt: skip
    for name in ("a.png", *others, *stale):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    outputs = CaseOutputs(".png", "NaturalImage2DIO", PredictionOptions())
    assert list(without_stale(outputs.stale(tmp_path, ["a", "c"]), tmp_path)) == [
        f"Deleted in {tmp_path}: {', '.join(stale[:3])}, … (7 in all), of the earlier masks."
    ]
    left = {file.relative_to(tmp_path).as_posix() for file in tmp_path.rglob("*.*")}
    assert left == {"a.png", *others}
    assert not (tmp_path / "overlays").exists()
    assert list(without_stale(outputs.stale(tmp_path, ["a", "c"]), tmp_path)) == []
    kept = CaseOutputs(".png", "NaturalImage2DIO", PredictionOptions(uncertainty=True))
    assert kept.stale(tmp_path, ["b"]) == [tmp_path / "b.npz"]


@pytest.mark.parametrize("probabilities", [True, False])
def test_a_prediction_deletes_them_unless_it_writes_new_ones(tmp_path, monkeypatch, probabilities):
    def write(model, inputs, masks, **how):
        assert (masks / "a.npz").exists() == probabilities
        (masks / "a.png").write_text("new")
        return {}

    model = SimpleNamespace(
        description={"file_ending": ".png"},
        plans={"image_reader_writer": ""},
        folds=lambda *_: [0],
        other_folders=list,
    )
    instead = {
        "open_model": model,
        "checked_inputs": Inputs({"a": []}, {}),
        "read_fold": FoldWeights({}, None),
        "loaded": SimpleNamespace(ending=".png", description={}),
        "outputs_of": CaseOutputs(
            ".png", "NaturalImage2DIO", PredictionOptions("cpu", probabilities=probabilities)
        ),
        "maker_digest": "",
    }
    for name, value in instead.items():
        monkeypatch.setattr(predict, name, lambda *_, value=value, **__: value)
    monkeypatch.setattr(predict, "run", write)
    for name in ("a.png", "a.npz"):
        (tmp_path / name).touch()
    predict.predict_folder(
        tmp_path / "i", tmp_path, tmp_path / "m", folds=None, checkpoint="final", base=None,
        options=PredictionOptions("cpu", probabilities=probabilities), progress=Progress(),
    )  # fmt: skip
    assert (tmp_path / "a.png").read_text() == "new"


@pytest.mark.parametrize(("members", "said"), [(1, 1), (2, 0)])
def test_one_network_that_disagrees_with_nobody(tmp_path, members, said):
    options = PredictionOptions(uncertainty=True)
    outputs = CaseOutputs(".png", "NaturalImage2DIO", options, members)
    lines = list(predict.made_way(Inputs({}, {}), Inputs({}, {}), tmp_path, outputs=outputs))
    assert len(lines) == said
    assert all(line.startswith("One network without mirroring: ") for line in lines)


def test_masks_of_another_user_are_not_replaced(tmp_path, monkeypatch):
    masks = [tmp_path / f"{case}.png" for case in "abc"]
    for mask in masks[:2]:
        mask.write_bytes(b"of another user")
    assert overwritable(masks) == masks
    assert masks[0].read_bytes() == b"of another user"
    opened = os.open

    def refuse(path, flags, *arguments, **options):
        if Path(path) == masks[0] and flags & (os.O_WRONLY | os.O_RDWR):
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, flags, *arguments, **options)

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(MachineError) as caught:
        overwritable(masks)
    assert str(caught.value) == (
        f"Earlier masks in {tmp_path} may not be replaced by this user: a.png. "
        "Fix: another folder for -o, or remove them."
    )


def test_stale_files_that_another_prediction_has_deleted(tmp_path):
    (tmp_path / "overlays").mkdir()
    files = [tmp_path / "a.npz", tmp_path / "overlays/a.png", tmp_path / "gone/a.tif"]
    files[0].touch()
    assert list(without_stale(files, tmp_path)) == [
        f"Deleted in {tmp_path}: a.npz, overlays/a.png, gone/a.tif, of the earlier masks."
    ]
    assert not files[0].exists()
