"""What a plan gives up where its hours hold few training steps, for more of them."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from nnunet_vit.config.head_options import head_plugin, options_model
from nnunet_vit.planning.length import STEPS_LEAST, has_room, steps_within
from nnunet_vit.planning.open_keys import (
    BATCH,
    EPOCHS,
    ITERATIONS,
    SIZE,
    TUNING,
    smaller_sizes,
)
from nnunet_vit.planning.pace import Pace
from nnunet_vit.registry.calling import takes_backbone
from nnunet_vit.tuning import method_name

if TYPE_CHECKING:
    from nnunet_vit.config.models import ViTnnUNetConfig
    from nnunet_vit.planning.plan_run import Plan

FROZEN = "frozen"
# so few steps bring the head alone further than the whole network: docs/accuracy.md
STEPS_OF_HEAD = 500


@dataclass(frozen=True)
class Haste:
    """What a plan has given up.

    Attributes:
        changes: values by key that the run file did not give.
        reasons: of each, in one line.
    """

    changes: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)

    def with_(self, key: str, value: str, reason: str) -> "Haste":
        """Return it with one thing more."""
        return replace(
            self,
            changes={**self.changes, key: value},
            reasons={**self.reasons, key: reason},
        )


UNHURRIED = Haste()


def hastened(
    plan: "Plan", pace: Pace, hours: float, *, allows: Callable[[dict[str, str]], bool]
) -> Haste | None:
    """Return what the plan gives up next, with what it has given up; None: nothing.

    A frozen backbone comes first, then a smaller batch, then a smaller backbone; each only where
    the run file leaves it open. Batches are smaller for a frozen backbone also where there is time
    for a training: docs/accuracy.md has the cells.

    Args:
        plan: that was tried.
        pace: that it has.
        hours: of all its folds.
        allows: tells whether the run file allows such values: rates of the backbone, for one,
            forbid to freeze it.
    """
    if EPOCHS not in plan.free and ITERATIONS not in plan.free:
        return None
    run = plan.choice.variant.run
    folds = len(run.data.folds)
    steps = steps_within(hours, pace, folds=folds)
    if not steps:
        return None  # start and final validation take the time
    enough = has_room(hours, pace, run.train, free=plan.free, folds=folds)
    time = f"{hours:g} h hold {steps} steps of"
    found = _frozen(plan, steps, enough, time)
    if found is not None and allows(found.changes):
        return found
    return _fewer_images(plan, steps, enough, time) or _smaller_size(plan, enough, time)


def _frozen(plan: "Plan", steps: int, enough: bool, time: str) -> Haste | None:
    """Train the head alone, where there are pretrained weights that are the run's."""
    run = plan.choice.variant.run
    if (enough and steps >= STEPS_OF_HEAD) or TUNING not in plan.free or not _may_freeze(run):
        return None
    why = f"{time} '{method_name(run)}': the head learns more alone"
    return plan.haste.with_(TUNING, FROZEN, why)


def _fewer_images(plan: "Plan", steps: int, enough: bool, time: str) -> Haste | None:
    """Take a smaller batch, half of it at most: more steps of a head alone are worth more."""
    frozen = method_name(plan.choice.variant.run) == FROZEN
    wanted = STEPS_OF_HEAD if frozen else STEPS_LEAST
    sufficient = enough and (steps >= wanted or not frozen)
    if sufficient or BATCH not in plan.free:
        return None
    batch, least = plan.choice.step.tile.batch, plan.choice.bounds.least
    if batch <= least:
        return None
    fewer = max(least, min(batch // 2, batch * steps // wanted))
    return plan.haste.with_(BATCH, str(fewer), f"{time} {batch} images")


def _smaller_size(plan: "Plan", enough: bool, time: str) -> Haste | None:
    """Take the family's next smaller backbone."""
    run = plan.choice.variant.run
    sizes = smaller_sizes(run) if SIZE in plan.free and not enough else []
    return plan.haste.with_(SIZE, sizes[0], f"{time} '{run.model.size_name}'") if sizes else None


def _may_freeze(run: "ViTnnUNetConfig") -> bool:
    """Tell whether the head would learn on weights that know something, and that are the run's.

    Not where the head asks for a backbone that is trained.
    """
    if not run.model.pretrained or method_name(run) == FROZEN:
        return False
    head = head_plugin(run.model)
    return takes_backbone(head) and not options_model(head).wants_trained_backbone
