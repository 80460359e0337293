"""A whole benchmark: its numbers beside an independent stopwatch, and nothing left behind."""

import json
import tempfile
from pathlib import Path
from time import perf_counter

import pytest

from nnunet_vit.modeling.runtime import compiled_blocks
from nnunet_vit.planning.open_keys import GivenRun
from nnunet_vit.profiling.describe import describe
from nnunet_vit.report.progress import Progress
from nnunet_vit.sample.drawn_dataset import write_sample_dataset
from nnunet_vit.training.benchmarking.benchmark import Wanted, benchmark
from nnunet_vit.training.trainer import nnUNetTrainer_vit

pytestmark = [pytest.mark.unit, pytest.mark.slow]
WORDS = (
    "model.head=linear", "model.backbone=timm:test_vit", "model.pretrained=false",
    "train.batch_size=2", "train.patch_size=[64, 96]",
)  # fmt: skip
DATASET = "data.dataset=901"


@pytest.fixture
def measure(nnunet_folders, monkeypatch, tmp_path, tmp_path_factory):
    """`measure(*words)` returns the result, the run, and when each step began and ended."""
    # torch keeps what it compiled, for other runs too; where headers go it asks when imported
    import torch._inductor.codecache  # noqa: F401

    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path_factory.mktemp("compiled")))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def start(*words, **wanted):
        given = GivenRun.of(None, [*WORDS, *words])
        steps, theirs = [], nnUNetTrainer_vit.train_step

        def timed(trainer, batch):
            began = perf_counter()
            outcome = theirs(trainer, batch)
            steps.append((began, perf_counter()))
            return outcome

        monkeypatch.setattr(nnUNetTrainer_vit, "train_step", timed)
        run, asked = given.run(), Wanted(device="cpu", **{"switches": False, **wanted})
        return benchmark(run, given, asked, progress=Progress()), run, steps

    return start


@pytest.fixture
def dataset(nnunet_folders):
    return write_sample_dataset(nnunet_folders / "raw", 5, 0, image_size=128)


def test_operations_and_a_stopwatch_agree(measure, dataset, nnunet_folders, tmp_path):
    found, run, steps = measure(DATASET, seconds=4)
    count = found.seconds.steps
    stopwatch = (steps[-1][1] - steps[-1 - count][1]) / count  # from the last one of the warm-up
    operations = describe(run, "cpu").cost.step_flops
    assert found.operations == operations
    assert found.rate == pytest.approx(operations / stopwatch, rel=0.03)
    assert found.step_seconds == pytest.approx(stopwatch, rel=0.03)
    assert (found.dataset, found.batch_size, found.image_size) == (dataset.name, 2, (64, 96))
    assert list((nnunet_folders / "results").iterdir()) == []
    assert list(tmp_path.iterdir()) == []


def test_switches_and_drawn_images(measure, nnunet_folders, tmp_path):
    found, _, _ = measure(seconds=1, switches=True)
    assert found.dataset == "" and "No dataset is named" in found.notes[0]
    assert found.switches[0].key == ""
    keys = {each.key for each in found.switches[1:]}
    assert {"model.precision", "train.gradient_checkpointing"} <= keys
    assert all(each.faster or each.reason for each in found.switches[1:])
    json.dumps(found.as_json())
    assert [list((nnunet_folders / name).iterdir()) for name in ("raw", "results")] == [[], []]
    assert list(Path(tempfile.gettempdir()).iterdir()) == []


def test_a_setting_that_the_network_cannot_have(measure, dataset, monkeypatch):
    from nnunet_vit.errors import ConfigError
    from nnunet_vit.training import trainer

    def refuse(_network):
        raise ConfigError("this network has no ViT of timm.")

    monkeypatch.setattr(trainer, "checkpoint_blocks", refuse)
    found, _, _ = measure(DATASET, seconds=1, switches=True)
    (row,) = [each for each in found.switches if each.key == "train.gradient_checkpointing"]
    assert (row.step_seconds, row.reason) == (None, "this network has no ViT of timm.")


def test_compiled_blocks_are_in_force(measure, dataset, monkeypatch):
    monkeypatch.setattr(compiled_blocks, "BACKEND", "eager")
    calls = []
    usual = compiled_blocks.CompiledBlocks.__init__

    def counted(self, *given, **more):
        usual(self, *given, **more)
        calls.append(len(self))

    monkeypatch.setattr(compiled_blocks.CompiledBlocks, "__init__", counted)
    measure(DATASET, "train.compile=blocks", seconds=0.5)
    assert calls == [6]
