"""The lots of views that are missing, one after the other."""

from collections.abc import Iterator

from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.training.batch_workers import BatchWorkers
from nnunet_vit.training.dataloading import Augmenter, made_by
from nnunet_vit.training.feature_cache.view_batches import LOT, ViewBatches


class ViewSource(Iterator[JsonObject]):
    """The wanted lots in their order; its workers start with the first and end with the last."""

    def __init__(self, batches: ViewBatches, workers: int) -> None:
        """Take what makes them, and by how many processes (0: this one)."""
        self._left = list(reversed(batches.wanted))
        self._made: Augmenter | None = None
        if batches.wanted:
            self._made = made_by(workers, batches, pin_memory=False)

    def __next__(self) -> JsonObject:
        if self._made is None:
            raise StopIteration
        lot = self._left.pop()
        batch: JsonObject = next(self._made)
        if batch.pop(LOT) != lot:
            raise RuntimeError(f"another lot of views came in place of {lot}")
        if not self._left:
            self.close()
        return batch

    def close(self) -> None:
        """End the workers."""
        if isinstance(self._made, BatchWorkers):
            self._made.close()
        self._made = None
