"""Plans that a probe on this machine confirms, or that are made again with less memory."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from nnunet_vit.errors import ConfigError
from nnunet_vit.planning.dataset_size import DatasetSize
from nnunet_vit.planning.haste import Haste, hastened
from nnunet_vit.planning.length import Length, length_for, length_of
from nnunet_vit.planning.memory_limit import MemoryLimit
from nnunet_vit.planning.meter import Meter, Step
from nnunet_vit.planning.pace import Pace, Probed
from nnunet_vit.profiling.measured_run import Measured
from nnunet_vit.quantities import bytes_text, duration_text
from nnunet_vit.report.progress import Progress

if TYPE_CHECKING:
    from nnunet_vit.planning.plan_run import Plan

ROUNDS = 3
ENDED = 0.85  # of what was allocated when memory ended, as nobody knows how much more it takes
ELSEWHERE = "plan on the machine that will train, for its device."
LONG = 60.0  # seconds of a training step that is tried only where it is asked for


class Prober(Protocol):
    """Tries runs on a device of this machine; `training/probing/` has it."""

    def seconds_of(self, step: Step, precision: str) -> float:
        """Return about how long a step will take here."""

    def obstacle(self, step: Step) -> str:
        """Return why a step cannot be tried now; nothing: it can."""

    def __call__(
        self, measured: Measured, step: Step, size: DatasetSize, schemes: list[str]
    ) -> Probed:
        """Try a run."""


@dataclass(frozen=True)
class Probing:
    """Whether and how plans are tried.

    Attributes:
        prober: None: they are not.
        why_not: why they are not, for people.
        insists: whether a slow step is tried too.
        hours: that the training may take; None: as long as the run file says.
    """

    prober: Prober | None = None
    why_not: str = ""
    insists: bool = False
    hours: float | None = None


@dataclass(frozen=True)
class Trial:
    """What a probe said of a plan.

    Attributes:
        pace: None: none was run.
        notes: what is to be said of it, in lines.
        length: of the training at that pace; None: not known.
        hours: that were given for it.
    """

    pace: Pace | None
    notes: tuple[str, ...] = ()
    length: Length | None = None
    hours: float | None = None


@dataclass
class Trials:
    """Tries the plans of a run.

    Attributes:
        meter: that has measured their steps without running.
        size: of the dataset.
        schemes: nnU-Net's normalization of each channel.
        probing: how to try them.
        progress: where to show what happens.
        allows: tells whether the run file allows values that it does not give.
    """

    meter: Meter
    size: DatasetSize
    schemes: list[str]
    probing: Probing
    progress: Progress
    allows: Callable[[dict[str, str]], bool]

    def of(self, plan: "Plan", plan_at: "Callable[[MemoryLimit, Haste], Plan]") -> "Plan":
        """Return a plan with what its probe has shown; another one where memory is too small.

        Args:
            plan: to try.
            plan_at: makes one for another memory, or one that gives something up for its hours.

        Raises:
            ConfigError: nothing fits, or the hours are too few or cannot be planned for.
        """
        told: list[str] = []
        while True:
            probed = self._probed(plan)
            if isinstance(probed, str):
                self._require_pace(probed)
                return replace(plan, trial=Trial(None, (*told, f"Not tried: {probed}.")))
            note = _excess(plan, probed)
            if note and len(told) < ROUNDS:
                told.append(f"{note}: planned again.")
                self.progress.log(told[-1])
                plan = plan_at(_smaller(plan, probed), plan.haste)
                continue
            haste = self._haste(plan, probed.pace)
            if haste is not None:
                self.progress.log(f"{list(haste.reasons.values())[-1]}: planned again.")
                plan = plan_at(plan.limit, haste)
                continue
            told += [f"{note}, for the {ROUNDS + 1}th time: give a smaller batch."] if note else []
            return replace(plan, trial=self._trial(plan, probed.pace, told))

    def _probed(self, plan: "Plan") -> Probed | str:
        """Return what a probe shows, or why none is run."""
        prober, step = self.probing.prober, plan.choice.step
        if prober is None:
            return self.probing.why_not
        obstacle = prober.obstacle(step)
        if obstacle:
            return obstacle
        if not self.probing.insists and self.probing.hours is None:
            seconds = prober.seconds_of(step, plan.precision)
            if seconds > LONG:
                return f"a training step would take about {duration_text(seconds)}; --probe does it"
        self.progress.start_work("Trying training steps on this machine")
        try:
            measured = self.meter.measured(
                plan.choice.variant, step.tile, plan.choice.checkpointing
            )
            return prober(measured, step, self.size, self.schemes)
        finally:
            self.progress.close()

    def _haste(self, plan: "Plan", pace: Pace | None) -> Haste | None:
        """Return what a plan gives up for its hours."""
        hours = self.probing.hours
        if pace is None or hours is None:
            return None
        return hastened(plan, pace, hours, allows=self.allows)

    def _require_pace(self, reason: str) -> None:
        if self.probing.hours is not None or self.probing.insists:
            word = "--probe" if self.probing.hours is None else f"--hours {self.probing.hours:g}"
            raise ConfigError(f"{word}: no step can be measured: {reason}.", fix=ELSEWHERE)

    def _trial(self, plan: "Plan", pace: Pace | None, told: list[str]) -> Trial:
        run, hours = plan.choice.variant.run, self.probing.hours
        if pace is None:
            self._require_pace("it does not fit")
            return Trial(None, tuple(told))
        folds = len(run.data.folds)
        if hours is None:
            return Trial(pace, tuple(told), length_of(pace, run.train, folds=folds))
        length = length_for(hours, pace, run.train, free=plan.free, folds=folds)
        return Trial(pace, tuple(told), length, hours)


def _excess(plan: "Plan", probed: Probed) -> str:
    """Return the words on a step that needs more memory than it may; nothing: it does not."""
    if probed.pace is None:
        return f"A training step did not fit: {bytes_text(plan.choice.step.total)} were predicted"
    if probed.peak is None or probed.peak <= plan.limit.room:
        return ""
    return (
        f"A training step took {bytes_text(probed.peak)}, predicted were "
        f"{bytes_text(plan.choice.step.total)}"
    )


def _smaller(plan: "Plan", probed: Probed) -> MemoryLimit:
    """Return the memory with what the probe says of predictions."""
    peak = max(probed.peak or 0, plan.limit.room)
    taken = peak if probed.pace else peak / ENDED
    return replace(plan.limit, predicted=min(plan.limit.predicted, plan.choice.step.total / taken))
