"""Preprocessed cases decoded once, for all workers, where memory has room for them.

nnU-Net opens and decodes a case each time that it is drawn, which took a quarter of a worker's time
for small pictures (docs/benchmarks.md). Workers are forked, so they share what is held.
"""

import multiprocessing
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from nnunetv2.training.dataloading.nnunet_dataset import nnUNetDatasetBlosc2

from nnunet_vit.errors import counted
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.files.machine_memory import bytes_available
from nnunet_vit.quantities import bytes_text
from nnunet_vit.report.progress import Progress
from nnunet_vit.training.worker_memory import own_share, room_beside_workers

if TYPE_CHECKING:
    from nnunetv2.training.dataloading.data_loader import nnUNetDataLoader

    from nnunet_vit.files.array_type import Array
    from nnunet_vit.training.trainer import nnUNetTrainer_vit

    Case = tuple[Array, Array, None, JsonObject]

SHARE = 0.25  # of the free memory, at most
DRAWS = 2  # of each case, on the average: in a shorter training, holding them takes longer


class HeldArray(np.ndarray):
    """An array that gives copies of its parts, as a file does: transforms write into them."""

    def __getitem__(self, part: Any) -> "Array":  # noqa: ANN401 - numpy's own
        return np.array(super().__getitem__(part), order="C")


class HeldCases:
    """Cases in memory, with nnU-Net's way to load one.

    Attributes:
        identifiers: of the cases.
        bytes: that they take.
    """

    def __init__(self, cases: nnUNetDatasetBlosc2) -> None:
        """Hold none yet of the cases that nnU-Net reads."""
        self.identifiers: list[str] = cases.identifiers
        self.bytes = 0
        self._cases = cases
        self._held: dict[str, Case] = {}

    def __len__(self) -> int:
        return len(self._held)

    def hold(self, identifier: str) -> None:
        """Decode a case."""
        image, mask, _, properties = self._cases.load_case(identifier)
        arrays = image[:], mask[:]
        places = (properties.get("class_locations") or {}).values()
        self.bytes += sum(np.asarray(each).nbytes for each in (*arrays, *places))
        self._held[identifier] = (*(each.view(HeldArray) for each in arrays), None, properties)

    def load_case(self, identifier: str) -> "Case":
        """Return image, mask, no mask of an earlier stage, and properties, as nnU-Net does."""
        return self._held[identifier]


def hold_cases(trainer: "nnUNetTrainer_vit", *loaders: "nnUNetDataLoader", workers: int) -> None:
    """Let the loaders draw from memory, if there is room, workers share it, and it pays.

    Args:
        trainer: of the run.
        loaders: nnU-Net's, of training and validation patches; all or none of them.
        workers: that will make the training batches; 0: the training's own process.
    """
    if not _pays(trainer, loaders) or (workers and multiprocessing.get_start_method() != "fork"):
        return
    room = _room(trainer, loaders[0], workers)
    held = held_within(room, [loader._data for loader in loaders], trainer.progress)
    if not held:
        return
    for loader, cases in zip(loaders, held, strict=True):
        loader._data = cases
    taken = bytes_text(sum(each.bytes for each in held))
    trainer.print_to_log_file(
        f"{counted(sum(map(len, held)), 'case')} held decoded for all workers, {taken} of memory."
    )


def held_within(
    room: int, datasets: Sequence[nnUNetDatasetBlosc2], progress: Progress
) -> list[HeldCases]:
    """Return all cases of the datasets decoded; none where they take more room than that.

    Args:
        room: bytes.
        datasets: as nnU-Net reads them.
        progress: where to show that it takes a while.
    """
    if sum(map(_bytes_on_disk, datasets)) > room:  # decoded they take more
        return []
    held = [HeldCases(each) for each in datasets]
    total = sum(len(each.identifiers) for each in held)
    progress.start_work("Reading cases into memory", total, lambda: sum(map(len, held)))
    try:
        for cases in held:
            for identifier in cases.identifiers:
                cases.hold(identifier)
                if sum(each.bytes for each in held) > room:
                    return []
    finally:
        progress.close()
    return held


def _pays(trainer: "nnUNetTrainer_vit", loaders: Iterable["nnUNetDataLoader"]) -> bool:
    if trainer.is_ddp or trainer.is_cascaded:  # each process would hold its own; another mask
        return False
    if not all(isinstance(loader._data, nnUNetDatasetBlosc2) for loader in loaders):
        return False
    steps = (trainer.num_epochs - trainer.current_epoch) * trainer.num_iterations_per_epoch
    cases = sum(len(loader._data.identifiers) for loader in loaders)
    return bool(steps * trainer.batch_size >= DRAWS * cases)


def _room(trainer: "nnUNetTrainer_vit", loader: "nnUNetDataLoader", workers: int) -> int:
    share = round(SHARE * own_share(bytes_available() or 0))
    return min(share, room_beside_workers(trainer, loader, workers))


def _bytes_on_disk(cases: nnUNetDatasetBlosc2) -> int:
    folder = Path(cases.source_folder)
    files = (f"{case}{end}" for case in cases.identifiers for end in (".b2nd", "_seg.b2nd"))
    return sum((folder / file).stat().st_size for file in files)
