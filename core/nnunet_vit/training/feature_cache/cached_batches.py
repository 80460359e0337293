"""The batches of a training whose features are kept."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Protocol

from torch import Tensor

from nnunet_vit.checkpoints.random_state import random_numbers_kept
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.modeling.runtime.feature_tap import FeatureTap
from nnunet_vit.training.feature_cache.drawn_mirroring import with_mirroring
from nnunet_vit.training.feature_cache.view_plan import ViewPlan

IMAGES, TARGET, FEATURE, FEATURES = "images", "target.", "feature.", "features"


class ViewStore(Protocol):
    """Keeps views by their numbers, in lots."""

    def __contains__(self, lot: int) -> bool:
        """Tell whether a lot is there."""

    def put(self, lot: int, tensors: Mapping[str, Tensor]) -> None:
        """Keep a lot: each tensor has a row for each of its views."""

    def take(self, views: Sequence[int]) -> dict[str, Tensor]:
        """Return these views, in their order."""


class CachedBatches(Iterator[JsonObject]):
    """Makes a lot of views in each of the first steps, as they come; later steps draw of them.

    A step's batch is the same whether its views are made, found or made again: what is made
    changes none of the random numbers that the training draws.
    """

    def __init__(
        self,
        plan: ViewPlan,
        store: ViewStore,
        tap: FeatureTap,
        *,
        source: Iterator[JsonObject],
        first: int,
        mirrors: Sequence[int] = (),
    ) -> None:
        """Begin with a step.

        Args:
            plan: of the views.
            store: that has some of them, or none.
            tap: computes their features.
            source: of the lots that the store has not.
            first: number of the step, counted from 0.
            mirrors: axes of the image along which drawn views are mirrored.
        """
        self.plan, self.store, self.tap, self._source = plan, store, tap, source
        self._step, self._mirrors = first, mirrors

    def __next__(self) -> JsonObject:
        step = self._step
        self._step += 1
        drawn = step >= self.plan.lots
        if not drawn and step not in self.store:
            self.make(step)
        views = self.plan.of_step(step)
        kept: Mapping[str, Tensor] = self.store.take(views)
        if drawn and self._mirrors:
            kept = with_mirroring(
                kept, self._mirrors, partial(_mirrored, self.tap), seed=self.plan.seed, step=step
            )
        return _batch(kept) | {"keys": [self.plan.case_of(view) for view in views]}

    def make(self, lot: int) -> None:
        """Make a lot of views, the next one that is missing."""
        with random_numbers_kept():
            made = next(self._source)
        target = made["target"]
        levels = target if isinstance(target, list) else [target]
        tensors = {IMAGES: made["data"], **{f"{TARGET}{n}": each for n, each in enumerate(levels)}}
        features = self.tap.compute(made["data"])
        tensors |= {f"{FEATURE}{key}": value.cpu() for key, value in features.items()}
        self.store.put(lot, tensors)


def _mirrored(tap: FeatureTap, name: str, value: Tensor, axis: int) -> Tensor:
    if name.startswith(FEATURE):
        return tap.part.mirrored(name.removeprefix(FEATURE), value, axis)
    return value.flip(axis)


def _batch(kept: Mapping[str, Tensor]) -> JsonObject:
    levels = [kept[f"{TARGET}{n}"] for n in range(sum(name.startswith(TARGET) for name in kept))]
    features = [name for name in kept if name.startswith(FEATURE)]
    return {
        "data": kept[IMAGES],
        "target": levels if len(levels) > 1 else levels[0],
        FEATURES: {name.removeprefix(FEATURE): kept[name] for name in features},
    }
