"""A plan as text: sizes, memory, what was chosen and why."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nnunet_vit.config.recipe_version import as_first_recipe
from nnunet_vit.errors import counted
from nnunet_vit.quantities import bytes_text, operations_text, sizes_text
from nnunet_vit.report.pace_text import time_lines

if TYPE_CHECKING:
    from nnunet_vit.planning.plan_run import Plan
    from nnunet_vit.planning.reasons import Planned

WHY_TENTH = "at the head's rate pretrained weights are undone (docs/accuracy.md)"
LABEL = 15  # characters of the words at the left
NAME = 28  # of kinds of memory


def as_text(plan: "Plan", values: "list[Planned]", reasons: dict[str, str]) -> str:
    """Return what people read, about twenty lines.

    Args:
        plan: of a run.
        values: that were planned.
        reasons: of patch and batch, by these names.
    """
    blocks = [[*_sizes(plan)], [*_choice(plan, values, reasons)], [*_memory(plan)]]
    if plan.trial is not None:
        blocks.append([*time_lines(plan.trial, plan.choice.step.total)])
    return "\n\n".join("\n".join(lines) for lines in blocks)


def _line(label: str, text: str) -> str:
    return f"{label:<{LABEL}}{text}"


def _sizes(plan: "Plan") -> Iterator[str]:
    size, limit = plan.size, plan.limit
    slices = f" with {counted(size.slices, 'slice')}" if size.slices != size.cases else ""
    changed = plan.cases not in (None, size.cases)
    then = f" when nnU-Net planned it, {plan.cases} now" if changed else ""
    yield _line("dataset", f"{plan.dataset}, {counted(size.cases, 'case')}{slices}{then}")
    yield _line("", f"median image {sizes_text(size.image)} pixels after resampling")
    software = f"{bytes_text(limit.software)} for its software, " if limit.software else ""
    yield _line("memory", f"{limit.name}: a training step may take {bytes_text(limit.usable)}")
    yield _line("", f"left free: {software}{bytes_text(limit.margin)} as a margin")


def _choice(plan: "Plan", values: "list[Planned]", reasons: dict[str, str]) -> Iterator[str]:
    choice, run = plan.choice, plan.choice.variant.run
    tile, why = choice.step.tile, {value.key: value.reason for value in values}
    backbone = " ".join(part for part in (run.model.backbone, run.model.size_name) if part)
    yield _line("head", run.model.head_name or str(run.model.model_path))
    yield _line("backbone", _with_reason(backbone, why.get("model.backbone_size")))
    yield _line("tuning", _with_reason(str(run.model.tuning), why.get("model.tuning")))
    rate = run.train.own_backbone_lr
    if rate is not None:
        rates = f"head {run.train.initial_lr:g}, backbone {rate:g}"
        own = as_first_recipe(run) is not None
        yield _line("rates", _with_reason(rates, WHY_TENTH if own else None))
    yield _line("precision", plan.precision)
    yield _line("patch", f"{sizes_text(tile.size)} pixels: {reasons['patch']}")
    yield _line("batch", f"{tile.batch}: {reasons['batch']}")
    checkpointing = "yes" if choice.checkpointing else "no"
    yield _line(
        "checkpointing", _with_reason(checkpointing, why.get("train.gradient_checkpointing"))
    )
    cost = choice.step.cost
    yield _line(
        "compute",
        f"{operations_text(cost.forward_flops)} forward per image, "
        f"{operations_text(cost.step_flops)} per training step",
    )


def _with_reason(value: str, reason: str | None) -> str:
    return f"{value}: {reason}" if reason else value


def _memory(plan: "Plan") -> Iterator[str]:
    step = plan.choice.step
    yield f"predicted memory of a training step on {plan.limit.device}, {plan.precision}"
    for name, number in step.memory.items():
        yield f"{'  ' + name:<{NAME}}{bytes_text(number):>12}"
    share = 100 * step.total / plan.limit.usable
    yield f"{'  sum':<{NAME}}{bytes_text(step.total):>12}   {share:.0f} % of what it may take"
