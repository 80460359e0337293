"""What the command's process is told before anything heavy is imported, and at its end."""

import contextlib
import gc
import os
import sys

# new objects between two searches for unused ones: with Python's 700, imports take a third longer
COLLECTED_AFTER = 10_000
HUGE_PAGES = "THP_MEM_ALLOC_ENABLE"  # torch's: large tensors get memory by 2 MB, not by 4 kB
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # glibc's, of malloc.h
MOST_KEPT, MOST_SHARED = 2**29, 2**25  # bytes


def prepare() -> None:
    """Let Python search less often for unused objects, and let freed memory be used again.

    A network's tensors come and go by the megabyte. Where the system takes each back and hands out
    empty pages for the next, a fifth of the time that a CPU predicts goes into it.
    """
    gc.set_threshold(COLLECTED_AFTER)
    os.environ.setdefault(HUGE_PAGES, "1")
    if sys.platform == "linux":
        import ctypes

        with contextlib.suppress(AttributeError, OSError):  # another library than glibc
            library = ctypes.CDLL(None)
            library.mallopt(MMAP_THRESHOLD, MOST_SHARED)
            library.mallopt(TRIM_THRESHOLD, MOST_KEPT)


def finish() -> None:
    """Let the process end without searching several times through what torch has imported."""
    gc.freeze()
