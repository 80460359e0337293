"""The planned values, each with the reason that stands behind it in the run file."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nnunet_vit.planning.length import (
    EPOCHS_MOST,
    ITERATIONS_MOST,
    PER_VALIDATION,
    time_of_folds,
)
from nnunet_vit.planning.open_keys import (
    BATCH,
    CHECKPOINTING,
    EPOCHS,
    ITERATIONS,
    PATCH,
    PRECISION,
    SIZE,
    TUNING,
    VALIDATIONS,
)
from nnunet_vit.planning.patch_candidates import MOST_TOKENS, tokens_of
from nnunet_vit.quantities import bytes_text, duration_text, sizes_text
from nnunet_vit.tuning import method_name

if TYPE_CHECKING:
    from nnunet_vit.planning.plan_run import Plan

Value = str | int | bool | list[int]


@dataclass(frozen=True)
class Planned:
    """A value of the run file.

    Attributes:
        key: its whole name.
        value: as YAML has it.
        reason: why, in one line.
    """

    key: str
    value: Value
    reason: str

    @property
    def text(self) -> str:
        """The value as YAML writes it."""
        return str(self.value).lower() if isinstance(self.value, bool) else str(self.value)

    @property
    def word(self) -> str:
        """The value as an override of a run file."""
        return f"{self.key}={self.text}"


def planned_values(plan: "Plan") -> list[Planned]:
    """Return the values that the planner has chosen, in the run file's order."""
    choice = plan.choice
    values: dict[str, tuple[Value, str]] = {
        SIZE: (plan.choice.variant.run.model.size_name or "", _why_changed(plan, SIZE)),
        PRECISION: (choice.variant.run.model.precision, _why_precision(plan)),
        TUNING: (method_name(choice.variant.run), _why_changed(plan, TUNING)),
        PATCH: (list(choice.step.tile.size), why_patch(plan)),
        BATCH: (choice.step.tile.batch, why_batch(plan)),
        CHECKPOINTING: (choice.checkpointing, _why_checkpointing(plan)),
    }
    values |= _length_values(plan)
    return [Planned(key, *value) for key, value in values.items() if key in plan.free]


def _length_values(plan: "Plan") -> dict[str, tuple[Value, str]]:
    """Return epochs and their steps where hours were given."""
    trial = plan.trial
    if trial is None or trial.length is None or trial.pace is None or trial.hours is None:
        return {}
    length, step = trial.length, duration_text(trial.pace.training.seconds)
    share = f"{time_of_folds(length)}, of {trial.hours:g} h; a training step takes {step}"
    usual = "nnU-Net's number"
    return {
        EPOCHS: (length.epochs, usual if length.epochs == EPOCHS_MOST else share),
        ITERATIONS: (
            length.iterations,
            usual
            if length.iterations == ITERATIONS_MOST
            else f"fewer, so that there are {length.epochs} epochs; {share}",
        ),
        VALIDATIONS: (length.validations, f"a {PER_VALIDATION}th of the training steps"),
    }


def why_patch(plan: "Plan") -> str:
    """Return why the patch is as large as it is."""
    choice = plan.choice
    size, patch = choice.step.tile.size, choice.vit_patch
    tokens = f"{tokens_of(size, patch)} tokens"
    image = f"the median image, {sizes_text(plan.size.image)} pixels"
    if PATCH not in plan.free:
        return f"{tokens}; as the run file says"
    if size != choice.wanted:
        return f"{tokens}; {sizes_text(choice.wanted)} does not fit in {_memory(plan)}"
    if all(edge >= whole for edge, whole in zip(size, plan.size.image, strict=True)):
        return f"{tokens} hold {image}"
    return f"{tokens}, of at most {MOST_TOKENS}, in the shape of {image}"


def why_batch(plan: "Plan") -> str:
    """Return why the batch is as large as it is."""
    if BATCH in plan.haste.reasons:
        return plan.haste.reasons[BATCH]
    bounds, batch = plan.choice.bounds, plan.choice.step.tile.batch
    if batch < bounds.most:
        return f"the largest that fits in {_memory(plan)}"
    return bounds.reason


def _why_checkpointing(plan: "Plan") -> str:
    choice = plan.choice
    if not choice.checkpointing:
        return "not needed"
    without = choice.without
    images = f"a batch of {without}" if without else "no batch"
    return f"without it {images} fits in {_memory(plan)}"


def _why_changed(plan: "Plan", key: str) -> str:
    if key in plan.haste.reasons:
        return plan.haste.reasons[key]
    if key not in plan.changes:
        return "the default, which fits"
    before = plan.given.model.size_name if key == SIZE else method_name(plan.given)
    return f"{before}, the default, does not fit in {_memory(plan)}"


def _why_precision(plan: "Plan") -> str:
    if PRECISION in plan.changes:
        return f"{plan.limit.name} has no bfloat16"
    return f"{plan.precision} on {plan.limit.device}"


def _memory(plan: "Plan") -> str:
    return f"the {bytes_text(plan.limit.usable)} that a step may take"
