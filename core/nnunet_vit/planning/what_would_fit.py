"""What is said where nothing fits: how much is needed, and what would fit."""

from collections.abc import Iterator

from nnunet_vit.errors import ConfigError
from nnunet_vit.planning.choice import Choice, Chooser
from nnunet_vit.planning.memory_limit import MemoryLimit
from nnunet_vit.planning.open_keys import (
    BATCH,
    CHECKPOINTING,
    PATCH,
    SIZE,
    TUNING,
    GivenRun,
    variants_of,
)
from nnunet_vit.quantities import bytes_text, sizes_text

# what is given up first where the run file gives too much
RELEASED = (
    (BATCH,),
    (CHECKPOINTING,),
    (BATCH, CHECKPOINTING),
    (PATCH,),
    (PATCH, BATCH, CHECKPOINTING),
    (TUNING, BATCH, CHECKPOINTING),
    (TUNING, PATCH, BATCH, CHECKPOINTING),
    (SIZE, TUNING, PATCH, BATCH, CHECKPOINTING),
)


def nothing_fits(given: GivenRun, chooser: Chooser, limit: MemoryLimit) -> ConfigError:
    """Return the error that says what is needed and what would fit.

    Args:
        given: the run that does not fit.
        chooser: that has found nothing.
        limit: the memory that it looked for.
    """
    least = chooser.least
    assert least is not None  # it has measured at least one step
    needed = f"{limit.total_for(least.total) / 1e9:.1f}"
    problem = (
        f"{limit.name} is too small for this run: of {bytes_text(limit.total)} a training step may "
        f"take {bytes_text(limit.usable)}, and {sizes_text(least.tile.size)} pixels, "
        f"{least.tile.batch} per step, take {bytes_text(least.total)}."
    )
    found = next(_alternatives(given, chooser), None)
    larger = f"a device with {needed} GB or more"
    if found is None:
        return ConfigError(problem, fix=f"{larger}, or a smaller backbone.")
    keys, choice = found
    return ConfigError(
        problem, fix=f"leave {', '.join(keys)} to the planner: {_words(choice)}; or {larger}."
    )


def _alternatives(given: GivenRun, chooser: Chooser) -> Iterator[tuple[list[str], Choice]]:
    """Yield what would fit if some of the given keys were the planner's."""
    tried = {chooser.free}
    for keys in RELEASED:
        free = chooser.free.with_(*keys)
        if free in tried:
            continue
        tried.add(free)
        other = Chooser(chooser.meter, chooser.size, free, chooser.usable)
        choice = other.choose(list(variants_of(given, free)))
        if choice is not None:
            yield [key for key in keys if key not in chooser.free], choice


def _words(choice: Choice) -> str:
    changes = [f"{key} {value}" for key, value in choice.variant.changes.items()]
    again = ["with gradient checkpointing"] if choice.checkpointing else []
    step = choice.step
    sizes = f"{sizes_text(step.tile.size)} pixels, {step.tile.batch} per step"
    return ", ".join([*changes, sizes, *again, f"would take {bytes_text(step.total)}"])
