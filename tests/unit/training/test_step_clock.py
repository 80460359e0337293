"""The phases of training steps, and the losses that a GPU hands over later."""

import math

import pytest
import torch

from nnunet_vit.errors import NumericsError
from nnunet_vit.report.step_seconds import PHASES, StepSeconds
from nnunet_vit.training import step_clock, step_losses
from nnunet_vit.training.step_clock import StepClock
from nnunet_vit.training.step_losses import StepLosses

pytestmark = pytest.mark.unit
CPU, GPU = torch.device("cpu"), torch.device("cuda")


class Event:
    """An event of a GPU, in whose queue `now` is how far it has come."""

    now, waits = 0, 0

    def __init__(self, at):
        self.at = at

    def query(self):
        return Event.now >= self.at

    def synchronize(self):
        Event.waits += 1
        Event.now = max(Event.now, self.at)

    def elapsed_time(self, later):
        return 1000.0 * (later.at - self.at)


@pytest.fixture
def queue(monkeypatch):
    """A GPU that reaches its events at 1, 2, 3 …, and only when it is waited for."""
    events = (Event(at) for at in range(1, 100))
    Event.now = Event.waits = 0
    monkeypatch.setattr(torch.cuda, "Event", Event)
    for module in (step_clock, step_losses):
        monkeypatch.setattr(module, "recorded", lambda _: next(events))
    return Event


def two_steps(clock):
    for phase in 2 * PHASES:
        clock.ends(phase)


def test_seconds_of_each_phase(monkeypatch):
    moments = iter([0.0, 1.0, 3.0, 6.0, 10.0, 15.0, 15.5, 16.0, 16.5, 17.0, 17.5, 20.0])
    monkeypatch.setattr(step_clock, "perf_counter", lambda: next(moments))
    clock = StepClock(CPU)
    clock.start()
    two_steps(clock)
    assert clock.read() == StepSeconds(1.5, 2.5, 3.5, 4.5, 5.5, steps=2)


def test_what_was_read_is_forgotten():
    clock = StepClock(CPU)
    clock.start()
    two_steps(clock)
    clock.read()
    two_steps(clock)
    assert clock.read().steps == 2


def test_a_step_before_the_start_has_no_wait():
    clock = StepClock(CPU)
    two_steps(clock)
    assert clock.read().steps == 2


def test_a_gpu_is_waited_for_once_and_at_the_end(queue):
    clock = StepClock(GPU)
    clock.start()
    two_steps(clock)
    assert queue.waits == 0
    assert clock.read() == StepSeconds(2, 2, 2, 2, 2, steps=2)
    assert queue.waits == 1


def test_losses_of_a_cpu_are_there_at_once():
    losses = StepLosses(CPU)
    for number in (0.5, 0.25):
        value = losses.add(torch.tensor(number, requires_grad=True))
        losses.check(0)
        assert losses.newest == number == value


def test_losses_of_a_gpu_are_shown_when_they_arrive(queue):
    losses = StepLosses(GPU)
    shown = []
    for number in range(5):
        losses.add(torch.tensor(float(number)))
        queue.now += number == 3  # the GPU is behind
        losses.check(0)
        shown.append(losses.newest)
    assert shown == [0, 0, 0, 1, 1]
    assert queue.waits == 1  # for the first loss, before which there is nothing to show
    losses.check(0, all_of_them=True)
    assert losses.newest == 4


@pytest.mark.parametrize("wrong", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_ends_the_training(wrong):
    losses = StepLosses(CPU)
    losses.add(torch.tensor(wrong))
    with pytest.raises(NumericsError, match=f"The training loss became {wrong} in epoch 3"):
        losses.check(3)


def test_on_a_gpu_it_ends_with_the_epoch_at_the_latest(queue):
    losses = StepLosses(GPU)
    for number in (0.5, math.nan, 0.25):
        losses.add(torch.tensor(number))
        losses.check(3)
    with pytest.raises(NumericsError, match="became nan in epoch 3"):
        losses.check(3, all_of_them=True)


def test_a_line_of_a_steps_time():
    seconds = StepSeconds(wait=1, transfer=1, forward=3, backward=4, optimizer=1, steps=10)
    assert seconds.as_text() == (
        "step 1.0000 s (wait 10.0%, transfer 10.0%, forward 30.0%, backward 40.0%, optimizer 10.0%)"
    )
    assert StepSeconds().as_text().startswith("step 0.0000 s (wait 0.0%")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_the_phases_of_a_real_gpu():
    clock, matrix = StepClock(GPU), torch.randn(4096, 4096, device=GPU)
    losses = StepLosses(GPU)
    clock.start()
    for phase in PHASES:
        matrix = (matrix @ matrix) / 64
        clock.ends(phase)
    losses.add(matrix.mean())
    losses.check(0, all_of_them=True)
    assert math.isfinite(losses.newest)
    assert all(seconds > 0 for seconds in clock.read().by_phase().values())
