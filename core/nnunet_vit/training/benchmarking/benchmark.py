"""A run's training steps timed on its own data, and what other settings would bring."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from time import monotonic

import torch

from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.errors import Stopped, UserError
from nnunet_vit.inference.tiling.forward import is_of_memory
from nnunet_vit.modeling.runtime.devices import choose_device, device_kind
from nnunet_vit.nnunet.capture import captured
from nnunet_vit.nnunet.plans import with_run
from nnunet_vit.planning.open_keys import GivenRun
from nnunet_vit.profiling.describe import describe
from nnunet_vit.profiling.measured_run import precision_of
from nnunet_vit.report.progress import Progress
from nnunet_vit.report.stopping import stops_with
from nnunet_vit.training.benchmarking.benchmark_result import BenchmarkResult, SwitchedSteps
from nnunet_vit.training.benchmarking.device_rate import device_name, peak_rate
from nnunet_vit.training.benchmarking.drawn_data import with_images
from nnunet_vit.training.benchmarking.switches import other_values, switched
from nnunet_vit.training.benchmarking.timed_steps import TimedSteps, timed_steps
from nnunet_vit.training.execution import make_trainer
from nnunet_vit.training.without_results import PreparedRun, prepared_without_results

NOTHING_LEFT = "A benchmark leaves nothing behind but preprocessed data."
TENTH = 10  # of the seconds, for each switch
WARMTH = 1.5  # of the seconds that the display reckons with: warming up takes some


@dataclass(frozen=True)
class Wanted:
    """What is asked of a benchmark.

    Attributes:
        seconds: of the timed steps; each switch gets a tenth of them.
        device: as --device says; None: the best that is there.
        switches: whether other settings are tried.
    """

    seconds: float = 60.0
    device: str | None = None
    switches: bool = True


def benchmark(
    run: ViTnnUNetConfig, given: GivenRun, wanted: Wanted, *, progress: Progress
) -> BenchmarkResult:
    """Plan and preprocess where needed, do training steps, and return what they took.

    Args:
        run: resolved; of several folds the first one is taken.
        given: what the user gave: what it leaves open is planned as for the training.
        wanted: how it is to be measured.
        progress: where to show what happens.

    Raises:
        UserError: whatever the training would refuse, but for weights, which are not needed.
    """
    device = choose_device(wanted.device)
    with (
        stops_with(lambda: Stopped(NOTHING_LEFT)),
        with_images(run) as (there, notes),
        prepared_without_results(there, progress, given=given, device=device) as ready,
    ):
        bench = _Bench(ready, given, device, wanted.seconds, progress)
        found = bench.measured(notes if run.data.dataset is None else [])
        if run.data.dataset is None:
            found = replace(found, dataset="")
        return replace(found, switches=list(bench.switches())) if wanted.switches else found


@dataclass(frozen=True)
class _Bench:
    """A prepared run on a device."""

    ready: PreparedRun
    given: GivenRun
    device: str
    seconds: float
    progress: Progress

    def measured(self, notes: list[str]) -> BenchmarkResult:
        """Time the run as it is."""
        run, kind = self.ready.run, device_kind(self.device)
        told = describe(run, kind)
        steps = self._steps(run, self.seconds, "as it is")
        place, precision = torch.device(self.device), precision_of(run, kind)
        height, width = told.image_size
        patch = told.patch_size
        return BenchmarkResult(
            head=told.head, backbone=told.backbone, tuning=told.tuning[0], dataset=told.dataset,
            device=self.device, device_name=device_name(place), precision=precision,
            workers=steps.workers, image_size=told.image_size, batch_size=told.batch_size,
            tokens=(height // patch) * (width // patch) if patch else None,
            seconds=steps.seconds,
            operations=told.cost.step_flops if told.cost else None,
            peak_rate=peak_rate(place, precision),
            memory=steps.memory, predicted_memory=sum(told.memory.values()) or None,
            notes=[*notes, *told.notes],
        )  # fmt: skip

    def switches(self) -> Iterator[SwitchedSteps]:
        """Time the run as it is, and with one key changed for each value of each switch."""
        usual = self._switched("", "")
        yield usual
        for key, value in other_values(self.ready.run, device_kind(self.device)):
            yield self._switched(key, value).beside(usual)

    def _switched(self, key: str, value: object) -> SwitchedSteps:
        word, run = str(value).lower(), self.ready.run
        try:
            if key:
                self.given.run({key: word})  # the checks between keys
                run = switched(run, key, value)
            title = f"{key.rpartition('.')[2]}: {word}" if key else "again"
            steps = self._steps(run, self.seconds / TENTH, title)
        except UserError as error:
            return SwitchedSteps(key, word, reason=error.problem)
        except RuntimeError as error:
            if not isinstance(error, torch.OutOfMemoryError) and not is_of_memory(error):
                raise
            return SwitchedSteps(key, word, reason="the memory ended")
        # what a process has freed counts as resident: only a GPU tells of a second network
        memory = steps.memory if self.device.startswith("cuda") else None
        return SwitchedSteps(key, word, steps.seconds.per_step().whole, memory=memory)

    def _steps(self, run: ViTnnUNetConfig, seconds: float, title: str) -> TimedSteps:
        plans = with_run(self.ready.plans, run)
        lead = f"nnU-Net cannot train on {self.ready.dataset.name}"
        with _shown(self.progress, f"Steps, {title}", seconds), captured(lead, Progress()):
            trainer = make_trainer(
                self.ready.dataset, run, plans, device=self.device, resumes=False
            )
            return timed_steps(trainer, seconds)


@contextmanager
def _shown(progress: Progress, text: str, seconds: float) -> Iterator[None]:
    """Show how the time passes."""
    began, total = monotonic(), max(1, round(WARMTH * seconds))
    progress.start_parts(text, total, "second", lambda: min(total, int(monotonic() - began)))
    try:
        yield
    finally:
        progress.close()
