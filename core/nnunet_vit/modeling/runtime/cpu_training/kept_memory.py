"""Memory that a step has freed is kept for the next one, on Linux with glibc.

glibc gives large blocks back to the system, which hands them out again zeroed, page by page: a
hundred thousand pages a step, a fifth to a third of its time. The process does not grow by it: the
next step needs the same blocks.
"""

import contextlib
import ctypes
from collections.abc import Iterator

import torch

# glibc's malloc.h: a block that is mapped alone, and free memory at the heap's end that is kept
MMAP_MAX, TRIM_THRESHOLD = -4, -1
USUAL = {MMAP_MAX: 65536, TRIM_THRESHOLD: 128 * 1024}
KEEPING = {MMAP_MAX: 0, TRIM_THRESHOLD: -1}  # no block alone, nothing given back


def keep_freed_memory() -> None:
    """Keep what is freed from now on, for what is allocated next."""
    _set(KEEPING)


def give_back_memory() -> None:
    """Give what is free back to the system, and what is freed from now on, as is usual."""
    _set(USUAL)
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


@contextlib.contextmanager
def freed_memory_kept(device: torch.device) -> Iterator[None]:
    """Keep what is freed while steps are computed on a CPU; on a GPU nothing changes."""
    if device.type != "cpu":
        yield
        return
    keep_freed_memory()
    try:
        yield
    finally:
        give_back_memory()


def _set(values: dict[int, int]) -> None:
    with contextlib.suppress(AttributeError, OSError, TypeError):  # another libc has no such switch
        malloc_option = ctypes.CDLL(None).mallopt
        for name, value in values.items():
            malloc_option(name, value)
