"""What is said of a training that waits for its batches."""

import pytest
from processor_counts import with_processors
from small_training import SmallTraining

from nnunet_vit.report.step_seconds import StepSeconds
from nnunet_vit.training.callbacks.epoch_figures import EpochMeasuring
from nnunet_vit.training.callbacks.waiting import Waiting, what_helps
from nnunet_vit.training.worker_memory import WORKERS, allowed_workers

pytestmark = pytest.mark.unit


@pytest.fixture
def machine(monkeypatch):
    """`machine(cores, workers)` sets both."""

    def make(cores, workers):
        with_processors(monkeypatch, cores)
        monkeypatch.setenv(WORKERS, str(workers))

    return make


def epochs(training, *waits):
    for wait in waits:
        training.clock.read = lambda wait=wait: StepSeconds(wait=wait, forward=1 - wait, steps=2)
        training.epoch()


@pytest.fixture
def training(tmp_path, machine):
    """A training whose epochs are measured as they are told."""
    machine(4, 4)
    made = SmallTraining(tmp_path, [EpochMeasuring(), Waiting()], num_epochs=9)
    made.build_network()
    return made


def test_it_is_said_once(training):
    epochs(training, 0.0, 0.25, 0.5)
    (line,) = training.progress.lines
    assert line.startswith("Training steps wait 25% of their time for batches of 4 workers")
    assert line in training.log


def test_the_first_epoch_starts_the_workers(training):
    epochs(training, 0.9, 0.1, 0.05)
    assert training.progress.lines == []


@pytest.mark.parametrize(
    ("cores", "workers", "device", "augmented_on", "helps"),
    [
        (32, 12, "cuda", None, f"12 workers on 32 cores. What helps: more workers ({WORKERS}=32);"),
        (32, 12, "cuda", None, "; else more cores, or a faster disk"),
        (4, 4, "cuda", None, "4 workers on 4 cores. What helps: more cores, or a faster disk"),
        (4, 4, "cuda", "auto", "What helps: train.augmentation_device: gpu, which takes"),
        (4, 4, "cuda", "gpu", "What helps: more cores"),
        (2, 2, "cpu", "cpu", "What helps: a GPU or more cores: the network computes"),
        (2, 0, "cuda", None, f"the training's own process. What helps: more workers ({WORKERS}=2)"),
    ],
)
def test_what_helps(machine, cores, workers, device, augmented_on, helps):
    machine(cores, workers)
    assert helps in what_helps(0.3, device, augmented_on=augmented_on)


def test_no_more_workers_than_processors_that_may_be_used(machine, monkeypatch):
    machine(2, 12)
    monkeypatch.setattr("os.cpu_count", lambda: 64)  # all that nnU-Net looks at
    assert allowed_workers() == 2
