"""The clock of training steps: where their time goes, without a wait of its own."""

from itertools import pairwise
from time import perf_counter

import torch

from nnunet_vit.report.step_seconds import OPTIMIZER, PHASES, StepSeconds

Moment = float | torch.cuda.Event


class StepClock:
    """Takes note of when each phase of a step ends; the next one begins there.

    On a GPU a moment is an event in its queue, which the GPU reaches by itself: nothing waits for
    it until the seconds are read. Elsewhere it is the time.
    """

    def __init__(self, device: torch.device) -> None:
        """Measure nothing yet."""
        self._device = device
        self._ends: list[tuple[str, Moment]] = []

    def start(self) -> None:
        """Forget what was measured; the wait for a batch begins."""
        self._ends = [("", self._now())]

    def ends(self, phase: str) -> None:
        """End a phase.

        Args:
            phase: one of `PHASES`.
        """
        self._ends.append((phase, self._now()))

    def read(self) -> StepSeconds:
        """Return what was measured since the start, once a GPU has come this far, and start."""
        ends = self._ends
        if ends and isinstance(ends[-1][1], torch.cuda.Event):
            ends[-1][1].synchronize()
        seconds = dict.fromkeys(PHASES, 0.0)
        for (_, before), (phase, after) in pairwise(ends):
            seconds[phase] += _between(before, after)
        self.start()
        return StepSeconds(**seconds, steps=sum(phase == OPTIMIZER for phase, _ in ends))

    def _now(self) -> Moment:
        return recorded(self._device) if self._device.type == "cuda" else perf_counter()


def recorded(device: torch.device) -> torch.cuda.Event:
    """Return an event at the end of what a GPU has been given to do so far."""
    event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
    event.record(torch.cuda.current_stream(device))
    return event


def _between(before: Moment, after: Moment) -> float:
    if isinstance(before, float) and isinstance(after, float):
        return after - before
    assert not isinstance(before, float) and not isinstance(after, float)
    return float(before.elapsed_time(after)) / 1000
