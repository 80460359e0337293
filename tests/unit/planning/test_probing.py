"""Plans that are tried: confirmed, made again with less memory, or not tried and why."""

from dataclasses import dataclass, field, replace
from types import SimpleNamespace

import pytest
from measured_steps import run_of

from nnunet_vit.errors import ConfigError
from nnunet_vit.planning.dataset_size import DatasetSize
from nnunet_vit.planning.haste import UNHURRIED
from nnunet_vit.planning.memory_limit import MemoryLimit
from nnunet_vit.planning.open_keys import EPOCHS, ITERATIONS, TUNING, VALIDATIONS, OpenKeys
from nnunet_vit.planning.pace import Pace, Probed, Turn
from nnunet_vit.planning.plan_run import Plan
from nnunet_vit.planning.probing import Probing, Trials
from nnunet_vit.report.progress import Progress

pytestmark = pytest.mark.unit

TURN = Turn(1.0, 0.1, 4, 8, shared=False)
PACE = Pace(TURN, TURN, saving=0.0, tiles=0.0, cases=1, steps=2, peak=None)
LIMIT = MemoryLimit(10_000, "cpu", "a CPU")
FREE = OpenKeys(frozenset({EPOCHS, ITERATIONS, VALIDATIONS}))


@dataclass
class Machine:
    """Stands for a prober: a step takes `truth` times what was predicted; None: more than there is.

    Attributes:
        truth: of each probe in turn.
    """

    truth: list
    slow: float = 1.0
    busy: str = ""
    tried: list = field(default_factory=list)

    def seconds_of(self, step, precision):
        return self.slow

    def obstacle(self, step):
        return self.busy

    def __call__(self, measured, step, size, schemes):
        self.tried.append(step.total)
        truth = self.truth[len(self.tried) - 1]
        if truth is None:
            return Probed(None, 9_500)
        return Probed(PACE, None if truth == "?" else round(truth * step.total))


class Shown(Progress):
    def __init__(self):
        self.lines = []

    def log(self, text):
        self.lines.append(text)


def plan_at(limit, haste=UNHURRIED):
    """Return a plan that takes all that it may."""
    variant = SimpleNamespace(run=run_of())
    step = SimpleNamespace(tile=None, total=limit.usable)
    choice = SimpleNamespace(variant=variant, step=step, checkpointing=False)
    return Plan("Dataset001_X", DatasetSize((9, 9), 1, 1), limit, FREE, variant.run,
                choice, "float32", {}, haste=haste)  # fmt: skip


def allows(changes):
    return True


def tried(machine, shown=None, **probing):
    meter = SimpleNamespace(measured=lambda *given: given)
    trials = Trials(meter, DatasetSize((9, 9), 1, 1), [], Probing(machine, **probing),
                    shown or Progress(), allows)  # fmt: skip
    return trials.of(plan_at(LIMIT), plan_at)


def test_a_step_as_predicted_is_kept():
    machine = Machine([1.0])
    found = tried(machine)
    assert machine.tried == [9_000] == [LIMIT.room]
    assert (found.trial.pace, found.trial.notes, found.limit) == (PACE, (), LIMIT)
    assert found.trial.length.epochs == 1000


def test_a_step_that_takes_more_is_planned_again_for_what_it_takes():
    machine, shown = Machine([1.25, 1.25]), Shown()
    found = tried(machine, shown)
    assert machine.tried == [9_000, 7_200]  # 7200 * 1.25 is what there is
    assert found.limit.total == LIMIT.total and found.limit.usable == 7_200
    (note,) = found.trial.notes
    assert "took 0.0 MB, predicted were 0.0 MB: planned again." in note and shown.lines == [note]
    # what would be needed is said by what was measured
    assert found.limit.total_for(7_200) == LIMIT.total


def test_a_step_that_ends_the_memory_is_planned_again():
    machine = Machine([None, 1.0])
    found = tried(machine)
    assert machine.tried[1] == int(9_000 * 9_000 * 0.85 / 9_500)
    assert found.trial.pace is PACE and "did not fit" in found.trial.notes[0]


def test_three_rounds_are_enough():
    machine = Machine([1.2, 1.3, 1.4, 1.5])
    found = tried(machine)
    assert len(machine.tried) == 4 and machine.tried == sorted(machine.tried, reverse=True)
    assert len(found.trial.notes) == 4 and "4th time: give a smaller batch" in found.trial.notes[-1]


def test_where_the_device_does_not_say_what_was_held():
    assert tried(Machine(["?"])).trial.pace is PACE


@pytest.mark.parametrize(
    ("machine", "probing", "reason"),
    [
        (None, {"why_not": "no such device"}, "Not tried: no such device."),
        (Machine([], busy="the GPU is full"), {}, "Not tried: the GPU is full."),
        (Machine([], slow=200.0), {}, "would take about 3 min; --probe does it."),
    ],
)
def test_what_is_not_tried_says_why(machine, probing, reason):
    found = tried(machine, **probing)
    assert found.trial.pace is None and found.trial.length is None
    assert found.trial.notes[0].endswith(reason)


@pytest.mark.parametrize("asked", [{"insists": True}, {"hours": 100.0}])
def test_a_slow_step_is_tried_where_it_is_asked_for(asked):
    assert tried(Machine([1.0], slow=200.0), **asked).trial.pace is PACE


@pytest.mark.parametrize("asked", [{"insists": True}, {"hours": 100.0}])
def test_what_is_asked_for_and_cannot_be_measured_is_refused(asked):
    with pytest.raises(ConfigError, match=r"no step can be measured: the GPU is full\."):
        tried(Machine([], busy="the GPU is full"), **asked)


def test_hours_become_epochs_and_steps():
    found = tried(Machine([1.0]), hours=1.0)
    assert (found.trial.hours, found.trial.length.epochs) == (1.0, 20)
    assert found.trial.length.iterations < 250


def test_too_few_steps_are_planned_again_and_tried_again():
    """The tuning is left open: its step is tried, then that of the frozen backbone."""
    asked = []

    def hurried(limit, haste):
        asked.append(haste.changes)
        made = plan_at(limit, haste)
        run = run_of(tuning=haste.changes.get(TUNING, "full"))
        variant = SimpleNamespace(run=run)
        return replace(made, free=FREE.with_(TUNING), choice=replace_choice(made, variant))

    def replace_choice(made, variant):
        return SimpleNamespace(**{**vars(made.choice), "variant": variant})

    machine, shown = Machine([1.0, 1.0]), Shown()
    meter = SimpleNamespace(measured=lambda *given: given)
    trials = Trials(
        meter, DatasetSize((9, 9), 1, 1), [], Probing(machine, hours=0.1), shown, allows
    )
    found = trials.of(hurried(LIMIT, UNHURRIED), hurried)
    assert asked == [{}, {TUNING: "frozen"}] and len(machine.tried) == 2
    (line,) = shown.lines
    assert "steps of 'full': the head learns more alone: planned again." in line
    assert found.haste.changes == {TUNING: "frozen"} and found.trial.notes == ()
