"""The cache of a training: counted, opened, and brought to where the training is."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nnunet_vit.config.feature_cache_section import FeatureCacheSection
from nnunet_vit.modeling.runtime.mirrored_features import commuting_axes
from nnunet_vit.training.batch_workers import BatchWorkers
from nnunet_vit.training.dataloading import Augmenter
from nnunet_vit.training.feature_cache.cache_figures import CacheFigures
from nnunet_vit.training.feature_cache.cache_key import cache_key
from nnunet_vit.training.feature_cache.cached_batches import CachedBatches
from nnunet_vit.training.feature_cache.opened_store import FOLDER, opened_store
from nnunet_vit.training.feature_cache.room import bytes_of_view, check_room
from nnunet_vit.training.feature_cache.tap_of_run import tap_of_run
from nnunet_vit.training.feature_cache.view_batches import ViewBatches, plan_of
from nnunet_vit.training.feature_cache.view_source import ViewSource

if TYPE_CHECKING:
    from nnunetv2.training.dataloading.data_loader import nnUNetDataLoader

    from nnunet_vit.training.trainer import nnUNetTrainer_vit


class OpenedCache:
    """What a training needs of its cache.

    Attributes:
        tap: of its network.
        plan: of the views.
        bytes_of_view: that are kept of each.
    """

    def __init__(
        self,
        trainer: "nnUNetTrainer_vit",
        loader: "nnUNetDataLoader",
        section: FeatureCacheSection,
    ) -> None:
        """Look at the network, at the room and at what is there, and say what is kept.

        Raises:
            ConfigError, MachineError: the features cannot be kept.
        """
        self._trainer, self._loader, fold = trainer, loader, trainer.fold_folder.path
        self.tap = tap_of_run(trainer, section)
        self.plan = plan_of(loader, section.views, trainer.seed)
        self.bytes_of_view = bytes_of_view(trainer, self.tap)
        needed = check_room(section, self.plan, self.bytes_of_view, folder=fold / FOLDER)
        trainer.kept_bytes = needed if section.where == "memory" else 0
        axes: list[int] = list(trainer.inference_allowed_mirroring_axes or [])
        errors = self.tap.mirroring_errors([axis - 2 for axis in axes])  # counted from the last
        self._mirrors = commuting_axes(list(errors.items()))
        figures = CacheFigures(
            self.plan.count, len(self.plan.cases), needed, self.plan.lots, section.where,
            section.dtype, errors,
        )  # fmt: skip
        key = cache_key(trainer, loader, self.tap, plan=self.plan)
        self._store = opened_store(fold, self.plan, key, figures=figures, progress=trainer.progress)
        trainer.progress.log(figures.as_text())
        trainer.print_to_log_file(figures.as_text())

    def batches(self, usual: Augmenter) -> CachedBatches:
        """Return the batches from the training's next step on; views of earlier ones are made.

        Args:
            usual: the batches of a training without cache, which are not started: they have as
                many workers as fit.
        """
        workers = usual.num_processes if isinstance(usual, BatchWorkers) else 0
        missing = [lot for lot in range(self.plan.lots) if lot not in self._store]
        self._source = ViewSource(
            ViewBatches(self._loader, self.plan, missing, workers=workers), workers
        )
        first = self._trainer.current_epoch * self._trainer.num_iterations_per_epoch
        made = CachedBatches(
            self.plan, self._store, self.tap, source=self._source, first=first,
            mirrors=self._mirrors,
        )  # fmt: skip
        self._catch_up(made, [lot for lot in missing if lot < first])
        return made

    def close(self) -> None:
        """End workers, and give up what is kept."""
        self._source.close()
        self._store.clear()

    def _catch_up(self, batches: CachedBatches, lots: Sequence[int]) -> None:
        """Make the views of steps that are done: a resumed training draws from them."""
        if not lots:
            return
        progress, left = self._trainer.progress, list(reversed(lots))
        progress.start_parts(
            "Computing kept features again", len(lots), "batch", lambda: len(lots) - len(left)
        )
        try:
            while left:
                batches.make(left[-1])
                left.pop()
        finally:
            progress.close()
