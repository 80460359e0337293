"""Memory that runs out, output that is not finite: the case is named, no mask is written."""

import numpy as np
import pytest
import torch
from predicting_model import model_of, save_images

from nnunet_vit.errors import MachineError, NumericsError
from nnunet_vit.inference.inputs import Inputs
from nnunet_vit.inference.predicting import pipeline
from nnunet_vit.inference.predicting.memory_errors import naming_memory
from nnunet_vit.inference.predicting.prepared_case import prepared
from nnunet_vit.inference.prediction_options import PredictionOptions
from nnunet_vit.inference.tiling import forward
from nnunet_vit.report.progress import Progress

pytestmark = pytest.mark.unit
CORE = np._core if hasattr(np, "_core") else np.core  # numpy 1.26 has the second
NO_MEMORY = (
    "[enforce fail at alloc_cpu.cpp:1] DefaultCPUAllocator: can't allocate memory: you tried"
)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (MemoryError(), ""),
        (CORE._exceptions._ArrayMemoryError((1, 64000, 64000), np.dtype("f4")),
         ": Unable to allocate 15.3 GiB for an array"),
        (RuntimeError(NO_MEMORY), f": {NO_MEMORY}"),
    ],
)  # fmt: skip
def test_the_case_and_what_it_needs(error, told):
    with pytest.raises(MachineError) as caught, naming_memory("b", {"b": 15_300_000_000}):
        raise error
    text = str(caught.value)
    assert text.startswith("b: memory ran out; it needs at least 15.30 GB" + told)
    assert text.endswith("Fix: a machine with more memory, or cut the image into parts.")


def test_a_gpu_without_memory():
    with pytest.raises(MachineError, match=r"^b: the GPU's memory ran out"), naming_memory("b", {}):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory.")


def test_other_errors_stay_as_they_are():
    with pytest.raises(RuntimeError, match="scalar type"), naming_memory("b", {}):
        raise RuntimeError("expected scalar type Half")


@pytest.fixture
def predict(tmp_path, monkeypatch):
    """`predict(model)` predicts three pictures; `predict.masks` is the folder."""
    files = save_images(tmp_path / "images", ".png", [(24, 32)] * 3)

    def run(model):
        options = PredictionOptions("cpu", mirroring=False)
        return pipeline.predict_cases(
            Inputs(files, {}), run.masks, model, options=options, progress=Progress()
        )

    monkeypatch.setitem(forward.VOXELS, "cpu", 1)  # no two images in a batch
    run.masks = tmp_path / "masks"
    run.masks.mkdir()
    return run


@pytest.mark.parametrize("step", ["prepared", "write_case"])
def test_where_reading_or_writing_takes_too_much(predict, monkeypatch, step):
    inner = getattr(pipeline, step)

    def short(case, *others, **more):
        if "case_1" in (case, getattr(case, "name", "")):
            raise MemoryError
        return inner(case, *others, **more)

    monkeypatch.setattr(pipeline, step, short)
    failures = predict(model_of())
    assert list(failures) == ["case_1"]
    assert str(failures["case_1"]).startswith("case_1: memory ran out. Fix: a machine with more")
    assert {path.name for path in predict.masks.iterdir()} == {
        "case_0.png", "case_2.png", "dataset.json", "plans.json"
    }  # fmt: skip


@pytest.mark.parametrize("error", [RuntimeError("bad"), OSError("gone"), AssertionError("shape")])
def test_an_image_that_nnunet_cannot_read(predict, monkeypatch, error):
    def fails(case, *others):
        if case == "case_0":
            raise error
        return prepared(case, *others)

    monkeypatch.setattr(pipeline, "prepared", fails)
    failures = predict(model_of())
    assert list(failures) == ["case_0"]
    told = str(failures["case_0"])
    assert told.endswith(f"case_0_0000.png: nnU-Net cannot read it: {error}.")
    assert len(list(predict.masks.glob("*.png"))) == 2


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_no_mask_of_output_that_is_not_finite(predict, value):
    model = model_of()
    with torch.no_grad():
        model.networks[0][2].bias.fill_(value)
    failures = predict(model)
    assert list(failures) == ["case_0", "case_1", "case_2"]
    assert isinstance(failures["case_1"], NumericsError)
    assert str(failures["case_1"]).startswith("case_1: the network's output is not finite")
    assert not list(predict.masks.glob("*.png"))
