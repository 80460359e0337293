"""How many processes make a training's batches: as many as the machine's memory has room for.

nnU-Net takes a number by processors alone; where the memory ends, the system kills one of them.
"""

import os
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from nnunetv2.utilities.default_n_proc_DA import get_allowed_n_proc_DA

from nnunet_vit.errors import counted
from nnunet_vit.files.machine_memory import bytes_available
from nnunet_vit.files.processors import usable_processors
from nnunet_vit.nnunet.folders import is_chosen
from nnunet_vit.planning.memory_limit import SHARED_MARGIN
from nnunet_vit.quantities import bytes_text

if TYPE_CHECKING:
    from nnunetv2.training.dataloading.data_loader import nnUNetDataLoader

    from nnunet_vit.training.trainer import nnUNetTrainer_vit

WORKERS = "nnUNet_n_proc_DA"
SHARING = "NNUNET_VIT_SHARING"  # a variable: how many commands train on this machine together
CACHED_PER_WORKER = 3
WORKER = 100_000_000  # bytes that a worker does not share: 30 MB at first, more as it goes
IN_WORK = 3  # batches that a worker holds beside those that wait: made, sent, not given back yet
FLOAT, LABEL = 4, 2  # bytes of a number in images and in masks
COPIES = 6  # of a patch, as large as it is before its rotation, while it is augmented
CROPPED = 3  # of one that is read and cropped alone
SHARE = {"cuda": 0.8}  # of the memory that is free, for workers; else what a plan leaves them


@dataclass(frozen=True)
class LoaderBytes:
    """What the processes of a training's loaders hold.

    Attributes:
        batch: bytes of a batch, masks of all resolutions included.
        work: bytes that are needed while a patch is augmented.
    """

    batch: int
    work: int

    @property
    def of_worker(self) -> int:
        """Bytes of a worker, with its batches that wait."""
        return WORKER + self.work + (CACHED_PER_WORKER + IN_WORK) * self.batch

    def of(self, workers: int) -> int:
        """Return the bytes of all processes, those for validation too, and of what waits."""
        waiting = sum(
            max(3, CACHED_PER_WORKER * count // 2)
            for count in (workers, validation_workers(workers))
        )
        return (workers + validation_workers(workers)) * self.of_worker + waiting * self.batch

    def most_workers(self, wanted: int, room: int) -> int:
        """Return the largest count up to the wanted one that the room is enough for, at least 1."""
        return max([1, *(count for count in range(1, wanted + 1) if self.of(count) <= room)])


def validation_workers(workers: int) -> int:
    """Return how many processes make the batches of validation, as nnU-Net has it."""
    return workers // 2 if workers > 1 else workers


def allowed_workers() -> int:
    """Return how many processes make batches where memory has room: no more than can compute.

    More of them wait for each other, and nnU-Net knows neither affinity nor containers.
    """
    return min(int(get_allowed_n_proc_DA()), usable_processors())


def fitting_workers(trainer: "nnUNetTrainer_vit", loader: "nnUNetDataLoader") -> int:
    """Return how many processes are to make a training's batches, and say where it is fewer.

    A number that somebody has set is kept, with a warning where memory may not be enough.

    Args:
        trainer: of the run.
        loader: nnU-Net's, of the training patches.
    """
    wanted = allowed_workers()
    available = bytes_available()
    if not wanted or available is None:  # 0: the training's own process makes them
        return wanted
    free = max(0, own_share(available) - trainer.kept_bytes)
    needed = _needed(trainer, loader)
    room = room_for_workers(free, trainer.device.type)
    if needed.of(wanted) <= room:
        return wanted
    count = needed.most_workers(wanted, room) if is_chosen(WORKERS) else wanted
    told = needed_text(needed, wanted, count=count, free=free)
    trainer.print_to_log_file(told)
    (trainer.progress.log if count < wanted else trainer.progress.warn)(told)
    return count


def room_beside_workers(
    trainer: "nnUNetTrainer_vit", loader: "nnUNetDataLoader", workers: int
) -> int:
    """Return the bytes that that many workers leave of what they may take; 0: nobody knows."""
    available = bytes_available()
    if available is None:
        return 0
    free = max(0, own_share(available) - trainer.kept_bytes)
    room = room_for_workers(free, trainer.device.type)
    return max(0, room - _needed(trainer, loader).of(workers))


def own_share(available: int) -> int:
    """Return what this command may take of the machine's free bytes: others train beside it."""
    return available // int(os.environ.get(SHARING, 1))


def _needed(trainer: "nnUNetTrainer_vit", loader: "nnUNetDataLoader") -> LoaderBytes:
    scales = trainer._get_deep_supervision_scales()
    return bytes_of_loader(loader, trainer.num_input_channels, scales)


def room_for_workers(free: int, device: str) -> int:
    """Return the bytes that workers may take.

    Args:
        free: bytes that are available.
        device: that the network computes on: cuda, cpu or mps.
    """
    return round(SHARE.get(device, SHARED_MARGIN) * free)


def bytes_of_loader(
    loader: "nnUNetDataLoader", channels: int, scales: list[list[float]] | None
) -> LoaderBytes:
    """Return what the processes of a loader hold.

    Args:
        loader: nnU-Net's, of the training patches.
        channels: of the images.
        scales: of each resolution's mask, [H, W]; None: the whole one alone.
    """
    masks = sum(map(prod, scales)) if scales else 1
    larger = prod(map(int, loader.patch_size)) * (FLOAT * channels + LABEL)
    if loader.transforms is None:  # whole batches are augmented elsewhere
        return LoaderBytes(batch=loader.batch_size * larger, work=CROPPED * larger)
    pixel = FLOAT * channels + LABEL * masks
    return LoaderBytes(
        batch=round(loader.batch_size * prod(loader.final_patch_size) * pixel),
        work=COPIES * larger,
    )


def needed_text(needed: LoaderBytes, wanted: int, *, count: int, free: int) -> str:
    """Return the line on workers whose memory is short."""
    lead = f"{counted(wanted, 'worker')} for batches and those for validation need about "
    memory = f"{bytes_text(needed.of(wanted))} of memory, and {bytes_text(free)} are free"
    if count < wanted:
        makes = "1 worker makes" if count == 1 else f"{count} workers make"
        return f"{lead}{memory}: {makes} batches ({WORKERS} changes it)."
    if wanted > 1:
        return f"{lead}{memory}: a smaller {WORKERS} needs less."
    return f"{lead}{memory}: a smaller train.batch_size needs less, or close other programs."
