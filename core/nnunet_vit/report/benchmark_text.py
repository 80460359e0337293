"""A benchmark of a run as text: where a step's time goes, its speed, and what settings bring."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nnunet_vit.errors import counted
from nnunet_vit.quantities import bytes_text, operations_text, sizes_text

if TYPE_CHECKING:
    from nnunet_vit.training.benchmarking.benchmark_result import BenchmarkResult, SwitchedSteps

LABEL = 11  # characters of the words at the left
PHASE = 12
KEY = 40
FIGURE = 12


def as_text(run_file: str, found: "BenchmarkResult") -> str:
    """Return what people read, about twenty lines."""
    title = f"{run_file}: head {found.head} on {found.backbone}, tuning {found.tuning}"
    blocks = [
        [title, *_setting(found)],
        [*_phases(found)],
        [*_speed(found)],
        [*_switches(found)],
        [f"{'note':<{LABEL}}{note}" for note in found.notes],
    ]
    return "\n\n".join("\n".join(lines) for lines in blocks if lines)


def _setting(found: "BenchmarkResult") -> Iterator[str]:
    yield f"{'device':<{LABEL}}{found.device} ({found.device_name}), {found.precision}"
    images = f"{found.batch_size} per step, {sizes_text(found.image_size)} pixels"
    makers = counted(found.workers, "worker") if found.workers else "the training's own process"
    yield f"{'images':<{LABEL}}{images}, from {found.dataset or 'drawn pictures'} by {makers}"


def _phases(found: "BenchmarkResult") -> Iterator[str]:
    mean = found.seconds.per_step()
    yield f"a training step, the mean of {found.seconds.steps}"
    for name, seconds in mean.by_phase().items():
        yield _row(name, f"{1000 * seconds:.2f} ms", f"{mean.share(name):.1%}")
    yield _row("sum", f"{1000 * mean.whole:.2f} ms")


def _row(name: str, figure: str, more: str = "") -> str:
    return f"{'  ' + name:<{PHASE}}{figure:>{FIGURE}}{more:>8}".rstrip()


def _speed(found: "BenchmarkResult") -> Iterator[str]:
    tokens = found.tokens_per_second
    more = "" if tokens is None else f", {tokens:,.0f} tokens/s"
    yield f"{'speed':<{LABEL}}{found.images_per_second:.1f} images/s{more}"
    peak = f"a large product's {_rate(found.peak_rate)} in {found.precision}"
    if found.operations is not None and found.rate is not None and found.of_peak is not None:
        yield (
            f"{'compute':<{LABEL}}{operations_text(found.operations)} per step: "
            f"{_rate(found.rate)}, {found.of_peak:.1%} of {peak}"
        )
    memory = "not known here" if found.memory is None else bytes_text(found.memory)
    if found.predicted_memory is not None:
        memory += f", and {bytes_text(found.predicted_memory)} by `describe`"
    yield f"{'memory':<{LABEL}}{memory}"


def _rate(operations: float) -> str:
    """Return operations a second: 81.3 GFLOP/s, 1.24 TFLOP/s."""
    return operations_text(round(operations)).replace("FLOPs", "FLOP/s")


def _switches(found: "BenchmarkResult") -> Iterator[str]:
    if not found.switches:
        return
    yield f"{'one setting changed':<{KEY}}{'step':>{FIGURE}}{'speed':>{FIGURE}}{'memory':>{FIGURE}}"
    for each in found.switches:
        yield _switch(each)


def _switch(each: "SwitchedSteps") -> str:
    name = f"{'  ' + (f'{each.key}: {each.value}' if each.key else 'none'):<{KEY}}"
    if each.step_seconds is None:
        return f"{name}   {each.reason}"
    memory = "-" if each.memory is None else bytes_text(each.memory)
    step = f"{1000 * each.step_seconds:.2f} ms"
    speed = "-" if each.faster is None else f"{each.faster:.2f} x"
    return f"{name}{step:>{FIGURE}}{speed:>{FIGURE}}{memory:>{FIGURE}}"
