"""The predictor names the case that fails, and what it needs."""

import numpy as np
import pytest
import torch
from nnunet_vit.inference.predictor import ReportingPredictor

from nnunet_vit.errors import MachineError, NumericsError
from nnunet_vit.inference import predictor as module
from nnunet_vit.report.progress import Progress

pytestmark = pytest.mark.unit
CORE = np._core if hasattr(np, "_core") else np.core  # numpy 1.26 has the second

NO_MEMORY = (
    "[enforce fail at alloc_cpu.cpp:1] DefaultCPUAllocator: can't allocate memory: you tried"
)


@pytest.fixture
def predict(tmp_path, monkeypatch):
    """`predict(error)` predicts two cases; nnU-Net raises the error at the second one."""

    def run(error, workers=0):
        predictor = ReportingPredictor(False, torch.device("cpu"), Progress())
        predictor.dataset_json = {"file_ending": ".png"}
        files = {case: [tmp_path / f"{case}_0000.png"] for case in ("first", "second")}

        def sequential(self, lists, masks, probabilities):
            for _ in self._manage_input_and_output_lists(lists, masks)[0]:
                if "second" in self.current:
                    raise error

        def parallel(self, lists, masks, probabilities, **workers):
            self.predict_from_data_iterator([{"ofile": f"{masks}/{case}"} for case in files])

        def items(self, iterator, *args, **options):
            for _ in iterator:
                if "second" in self.current:
                    raise error

        base = module.nnUNetPredictor
        monkeypatch.setattr(base, "predict_from_files_sequential", sequential)
        monkeypatch.setattr(base, "predict_from_files", parallel)
        monkeypatch.setattr(base, "predict_from_data_iterator", items)
        predictor.predict_cases(
            files, {"second": 15_300_000_000}, tmp_path / "masks", workers=workers
        )

    return run


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (MemoryError(), ""),
        (CORE._exceptions._ArrayMemoryError((1, 64000, 64000), np.dtype("f4")),
         ": Unable to allocate 15.3 GiB for an array"),
        (RuntimeError(NO_MEMORY), f": {NO_MEMORY}"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("workers", [0, 2])
def test_memory_that_runs_out_is_the_machines(predict, error, told, workers):
    with pytest.raises(MachineError) as caught:
        predict(error, workers)
    text = str(caught.value)
    assert text.startswith("second_0000.png: memory ran out; it needs at least 15.30 GB" + told)
    assert text.endswith("Fix: a machine with more memory, or cut the image into parts.")


def test_a_gpu_without_memory_and_workers_that_died(predict):
    with pytest.raises(MachineError, match=r"^second_0000.png: the GPU's memory ran out"):
        predict(torch.cuda.OutOfMemoryError("CUDA out of memory."))
    with pytest.raises(MachineError, match=r"near second_0000.png; most often memory is short"):
        predict(RuntimeError("Background workers died. Look for the error message further up!"))


def test_infinite_output_is_numerics(predict):
    with pytest.raises(NumericsError, match=r"^second_0000.png: the network's output is infinite"):
        predict(RuntimeError("Encountered inf in predicted array. Aborting..."))


def test_an_error_of_ours_stays_as_it_is(predict):
    with pytest.raises(RuntimeError, match="expected scalar type"):
        predict(RuntimeError("expected scalar type Half"))
