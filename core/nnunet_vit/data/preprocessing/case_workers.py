"""Work on many cases at the same time: as many as processors and memory take."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from nnunet_vit.files.machine_memory import bytes_available
from nnunet_vit.files.processors import usable_processors
from nnunet_vit.quantities import bytes_text
from nnunet_vit.report.progress import Progress

Result = TypeVar("Result")
WORKERS = "nnUNet_def_n_proc"  # nnU-Net's variable, which `use_processors` sets
SHARE = 0.8  # of the memory that is free, for all workers
# bytes of a voxel while it is preprocessed: its place, if it is foreground, as four integers of 8
# bytes, and as much again to sort them; image and label, before and after resampling, are float32
PLACES = 80
COPIES = 4 * 5  # bytes times copies of a channel


def bytes_of_case(channels: int, voxels: int) -> int:
    """Return what one worker holds at most while it preprocesses a case.

    Args:
        channels: of its images.
        voxels: of each, before or after resampling, the more.
    """
    return voxels * (PLACES + COPIES * (channels + 1))


def workers_for(largest: int, progress: Progress) -> int:
    """Return how many cases are worked on at the same time; says where memory allows fewer.

    Args:
        largest: bytes that the largest case takes.
        progress: where to say it.
    """
    wanted = max(1, int(os.environ.get(WORKERS, usable_processors())))
    free = bytes_available()
    fitting = wanted if free is None or not largest else max(1, int(SHARE * free / largest))
    if fitting < wanted:
        progress.log(
            f"Memory: a case takes up to {bytes_text(largest)} and {bytes_text(free or 0)} are "
            f"free: {fitting} at the same time, not {wanted}."
        )
    return min(wanted, fitting)


def each_case(
    work: Callable[[str], Result],
    cases: Sequence[str],
    workers: int,
    *,
    done: Callable[[str], None],
) -> dict[str, Result]:
    """Return what the work makes of each case; the first error ends it.

    Threads start at once, where processes would each import torch for seconds; what costs time, in
    numpy, scipy and blosc2, lets the others run meanwhile.

    Args:
        work: may be called from several threads.
        cases: their names.
        workers: at the same time.
        done: is told of each case that is done.
    """

    def shown(case: str) -> Result:
        result = work(case)
        done(case)
        return result

    with ThreadPoolExecutor(max(1, min(workers, len(cases)))) as pool:
        return dict(zip(cases, pool.map(shown, cases), strict=True))
