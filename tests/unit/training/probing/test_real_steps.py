"""A probe on this machine's CPU: real steps, real batches, and what comes of them."""

import pytest
import torch
from measured_steps import STATISTICS, run_of
from processor_counts import with_processors

from nnunet_vit.data.dataset import Dataset
from nnunet_vit.errors import PluginError
from nnunet_vit.planning.dataset_size import DatasetSize
from nnunet_vit.planning.meter import Step
from nnunet_vit.profiling.assumptions import Tile
from nnunet_vit.profiling.cost import StepCost
from nnunet_vit.profiling.measured_run import Measured
from nnunet_vit.training.probing import network_steps, probe
from nnunet_vit.training.probing.loader_speed import measured_loading
from nnunet_vit.training.probing.network_steps import measured_steps
from nnunet_vit.training.probing.probe import Prober

pytestmark = pytest.mark.unit

TILE = Tile((64, 48), 2)
CLASSES = {"background": 0, "disc": 1, "cup": 2}
REGIONS = {"labels": {"background": 0, "disc": [1, 2], "cup": 2}, "regions_class_order": [1, 2]}
IGNORED = {"labels": {**CLASSES, "ignore": 3}}
SCHEMES = ["RGBTo01Normalization"] * 3
COST = StepCost(*[10**9] * 3, 1000, *[0] * 4)
STEP = Step(TILE, {"optimizer state (adamw)": 1000, "activations": 5}, COST)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Few steps and images: the tests' machine may be busy."""
    monkeypatch.setattr(network_steps, "ENOUGH", 0.0)
    monkeypatch.setattr("nnunet_vit.training.probing.loader_speed.ENOUGH", 0.0)


def measured_run(head="linear", description=None, **given):
    run = run_of("timm:test_vit", head=head, precision="float32", train=given)
    channels = {str(number): "rgb_to_0_1" for number in range(3)}
    whole = {"channel_names": channels, "labels": CLASSES, **(description or {})}
    return Measured(run, Dataset("Dataset001_X", whole, None), STATISTICS, "cpu")


@pytest.mark.parametrize(
    ("head", "description", "given"),
    [
        ("linear", {}, {}),
        ("segformer", REGIONS, {"gradient_checkpointing": True, "ema": 0.9}),
        ("mask2former", {}, {"gradient_accumulation": 2}),
        ("linear", IGNORED, {"loss": "focal", "optimizer": "sgd"}),
    ],
)
def test_steps_of_the_run(head, description, given):
    found = measured_steps(measured_run(head, description, **given), TILE, "cpu")
    assert found.steps == 2 and found.peak is None
    assert min(found.step, found.validation, found.tile) > 0
    assert found.scales[0] == [1, 1]


def test_nothing_of_it_stays():
    import gc

    from nnunet_vit.modeling.network import ViTSegmentationNetwork

    measured_steps(measured_run(), TILE, "cpu")
    assert not [each for each in gc.get_objects() if type(each) is ViTSegmentationNetwork]


def test_a_slow_step_is_done_once(monkeypatch):
    monkeypatch.setattr(network_steps, "SLOW", 0.0)
    assert measured_steps(measured_run(), TILE, "cpu").steps == 1


@pytest.mark.parametrize("kind", [torch.OutOfMemoryError, RuntimeError])
def test_where_memory_ends(monkeypatch, kind):
    def ends(*given, target):
        raise kind("MPS backend out of memory (allocated: 8 GB).")

    monkeypatch.setattr(network_steps, "training_loss", ends)
    assert measured_steps(measured_run(), TILE, "cpu") == 0


def test_a_head_that_fails_is_named(monkeypatch):
    def fails(*given, target):
        raise ValueError("no")

    monkeypatch.setattr(network_steps, "training_loss", fails)
    with pytest.raises(PluginError, match="A training step on random images failed: ValueError"):
        measured_steps(measured_run(), TILE, "cpu")


@pytest.mark.parametrize("description", [{}, REGIONS, IGNORED])
def test_batches_are_made_as_a_training_makes_them(description):
    run = measured_run("segformer", description, augmentation={"strength": 0.5, "elastic": 1})
    scales = [[1.0, 1.0], [0.5, 0.5]]
    threads = torch.get_num_threads()
    size = DatasetSize((500, 60), 10, 30)
    found = measured_loading(run, TILE, size, schemes=SCHEMES, scales=scales)
    assert found.training > 0 and found.validation > 0
    assert found.memory.batch == 2 * 64 * 48 * (3 * 4 + 2 * 1.25)
    assert torch.get_num_threads() == threads


def test_loaders_that_crop_alone():
    """The augmentation of whole batches is the step's time, not the workers'."""
    scales = [[1.0, 1.0], [0.5, 0.5]]
    size = DatasetSize((500, 60), 10, 30)
    run = measured_run(augmentation_device="gpu")
    found = measured_loading(run, TILE, size, schemes=SCHEMES, scales=scales)
    assert found.training > 0 and found.on_device > 0
    assert found.memory.batch > 2 * 64 * 48 * (3 * 4 + 2)


def test_a_probe_of_a_run(monkeypatch, tmp_path):
    monkeypatch.setenv("nnUNet_results", str(tmp_path / "not" / "there"))
    monkeypatch.setenv("nnUNet_n_proc_DA", "1")
    pace = Prober("cpu")(measured_run(), STEP, DatasetSize((64, 96), 10, 10), SCHEMES).pace
    assert (pace.steps, pace.cases, pace.peak) == (2, 2, None)
    assert pace.training.workers == 1 and pace.training.shared
    assert pace.training.seconds >= pace.training.network
    assert pace.saving > 0 and pace.tiles > 0 and pace.drawing > 0
    assert not any(tmp_path.iterdir())


def test_how_long_a_step_takes_by_its_operations():
    few, many = (
        Step(TILE, {}, StepCost(0, operations, *[0] * 6)) for operations in (10**9, 10**15)
    )
    prober = Prober("cpu")
    assert 0 < prober.seconds_of(few, "float32") < 60 < prober.seconds_of(many, "float32")


def test_a_step_that_would_end_the_process_is_not_tried(monkeypatch):
    monkeypatch.setattr(probe, "bytes_available", lambda: 1000)
    reason = Prober("cpu").obstacle(STEP)
    assert reason == "a step takes 0.0 MB, and this machine has 0.0 MB free now"
    monkeypatch.setattr(probe, "bytes_available", lambda: 2000)
    assert Prober("cpu").obstacle(STEP) == ""


@pytest.mark.parametrize(("given", "workers"), [(None, 1), ("3", 3)])
def test_the_paces_workers_are_those_of_a_training(monkeypatch, given, workers):
    """One where memory is short, and somebody's own number in any case."""
    from nnunet_vit.nnunet.folders import use_processors

    with_processors(monkeypatch, 8)
    monkeypatch.delenv("nnUNet_n_proc_DA")
    if given:
        monkeypatch.setenv("nnUNet_n_proc_DA", given)
    use_processors()
    monkeypatch.setattr(probe, "bytes_available", lambda: 10**6)
    found = Prober("cpu")(measured_run(), STEP, DatasetSize((64, 48), 10, 10), SCHEMES)
    assert found.pace.training.workers == workers
