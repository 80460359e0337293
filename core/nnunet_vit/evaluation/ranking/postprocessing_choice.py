"""Which post-processing helps on the validation masks: nnU-Net's determine_postprocessing.

Its rule, without the processes that load torch for each try. First the largest component of all
foreground stays, if the mean Dice rises and no class's falls; then that of each class or region,
in their order, if its own Dice rises.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nnunet_vit.data.checks.masks import read_mask
from nnunet_vit.data.checks.raster_reading import Raster, in_threads, reader_for
from nnunet_vit.data.faults import refuse
from nnunet_vit.data.file_faults import grouped
from nnunet_vit.evaluation.evaluate import classes_of
from nnunet_vit.evaluation.mask_pairs import Pair, Task
from nnunet_vit.evaluation.measuring import Key
from nnunet_vit.evaluation.ranking.postprocessing import Step, postprocessed
from nnunet_vit.report.progress import Progress

if TYPE_CHECKING:
    from pathlib import Path

    from nnunet_vit.files.array_type import Array

Means = Mapping[Key, float]  # Dice of each class or region, mean over cases that have one


@dataclass(frozen=True)
class PostProcessing:
    """What helps.

    Attributes:
        steps: none: nothing does.
        before: mean Dice over the classes without it.
        after: with it.
        foreground: all foreground labels.
        names: of the classes or regions.
    """

    steps: tuple[Step, ...]
    before: float
    after: float
    foreground: tuple[int, ...]
    names: Mapping[Key, str]

    def as_text(self) -> str:
        """Return it as a line for people."""
        if not self.steps:
            return "Post-processing: none; keeping the largest component alone does not help."
        parts = [self._of(step) for step in self.steps]
        return (
            f"Post-processing: the largest component of {', then of '.join(parts)} is kept; "
            f"Dice {self.before:.4f} -> {self.after:.4f} on the same cases."
        )

    def _of(self, step: Step) -> str:
        return "the foreground" if step == self.foreground else self.names[step[0]]


def determined(
    pairs: Sequence[Pair], task: Task, progress: Progress, *, absent: Collection[str] = ()
) -> PostProcessing:
    """Return the steps that nnU-Net's rule takes.

    Args:
        pairs: validation masks and true ones.
        task: what they show.
        progress: where to show what happens.
        absent: classes or regions that no true mask has; they decide nothing.
    """
    labels = task.label_manager()
    names = {_plain(key): name for key, name in classes_of(labels, task.description).items()}
    keys = [key for key, name in names.items() if name not in absent]
    foreground = tuple(map(int, labels.foreground_labels))
    reader = reader_for(task.description, [pair.reference for pair in pairs], "mask")

    def read(file: "Path") -> "Array":
        raster = read_mask(file, reader, task.ending)
        if not isinstance(raster, Raster):
            refuse(file.parent, grouped([raster]))
        assert isinstance(raster, Raster)
        values: Array = raster.values[0]
        return values

    def means(steps: Sequence[Step]) -> Means:
        def dice(pair: Pair) -> list[float]:
            mask = postprocessed(read(pair.prediction), steps)
            return _dice(mask, read(pair.reference), keys, ignored=labels.ignore_label)

        return dict(zip(keys, _mean_over_cases(in_threads(dice, pairs)), strict=True))

    progress.start_work("Trying post-processing")
    steps, before, after = _steps(means, foreground, keys)
    progress.close()
    return PostProcessing(steps, _mean(before), _mean(after), foreground, names)


def _plain(key: Key) -> Key:
    """Return a label or region without numpy's numbers, which JSON does not know."""
    return tuple(map(int, key)) if isinstance(key, tuple) else int(key)


def _steps(
    means: Callable[[Sequence[Step]], Means], foreground: Step, keys: Sequence[Key]
) -> tuple[tuple[Step, ...], Means, Means]:
    """Return the steps, and the Dice without and with them."""
    steps: tuple[Step, ...] = ()
    before = current = means(steps)
    tried = means((foreground,))
    if _mean(tried) > _mean(current) and not any(tried[key] < current[key] for key in keys):
        steps, current = (foreground,), tried
    if len(keys) > 1 or len(foreground) > 1:
        for key in keys:
            tried = means((*steps, (key,)))
            if tried[key] > current[key]:
                steps, current = (*steps, (key,)), tried
    return steps, before, current


def _mean(dice: Means) -> float:
    return sum(dice.values()) / len(dice)


def _mean_over_cases(cases: Sequence[Sequence[float]]) -> list[float]:
    """Return each class's mean over the cases that have it; NaN where none has."""
    columns = ([value for value in column if value == value] for column in zip(*cases, strict=True))
    return [sum(values) / len(values) if values else float("nan") for values in columns]


def _dice(
    mask: "Array", truth: "Array", keys: Sequence[Key], *, ignored: int | None
) -> list[float]:
    """Return nnU-Net's Dice of each class; NaN where neither mask has it."""
    from nnunetv2.evaluation.evaluate_predictions import (
        compute_tp_fp_fn_tn,
        region_or_label_to_mask,
    )

    ignore = None if ignored is None else truth == ignored
    found = []
    for key in keys:
        masks = (region_or_label_to_mask(each, key) for each in (truth, mask))
        tp, fp, fn, _ = compute_tp_fp_fn_tn(*masks, ignore)
        found.append(float(2 * tp / (2 * tp + fp + fn)) if tp + fp + fn else float("nan"))
    return found
