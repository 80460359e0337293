"""Lots of views, made by nnU-Net's loader and the run's augmentation."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.training.dataloading import NumberedBatches
from nnunet_vit.training.feature_cache.view_plan import ViewPlan

if TYPE_CHECKING:
    from nnunetv2.training.dataloading.data_loader import nnUNetDataLoader

LOT = "lot"


def plan_of(loader: "nnUNetDataLoader", views: int, seed: int) -> ViewPlan:
    """Return the plan of the views that a loader is to make.

    Args:
        loader: nnU-Net's, of the training cases.
        views: of each case.
        seed: of the run.
    """
    forced = [bool(loader.get_do_oversample(place)) for place in range(loader.batch_size)]
    return ViewPlan(loader.indices, forced, views, seed=seed)


class ViewBatches(NumberedBatches):
    """Some of the lots; the content of each depends on the seed and its number alone."""

    def __init__(
        self, loader: "nnUNetDataLoader", plan: ViewPlan, wanted: Iterable[int], *, workers: int
    ) -> None:
        """Take the numbers of the lots."""
        super().__init__(loader, plan.seed, 0, max(1, workers))
        self.plan, self.wanted = plan, list(wanted)

    def batch(self, number: int) -> JsonObject:
        """Return the lot at that place among the wanted ones; past the end they begin again."""
        lot = self.wanted[number % len(self.wanted)]  # workers are ahead of what is asked for
        cases = self.plan.cases_of(lot)
        self.loader.get_indices = lambda: cases  # type: ignore[attr-defined]  # nnU-Net asks it
        return {**super().batch(lot), LOT: lot}
