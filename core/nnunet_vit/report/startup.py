"""What the command's process is told before anything heavy is imported, and at its end."""

import gc
import os

# new objects between two searches for unused ones: with Python's 700, imports take a third longer
COLLECTED_AFTER = 10_000
HUGE_PAGES = "THP_MEM_ALLOC_ENABLE"  # torch's: large tensors get memory by 2 MB, not by 4 kB


def prepare() -> None:
    """Let Python search less often for unused objects, and torch fetch memory by larger pages.

    A network's tensors come and go by the megabyte: page by page, a tenth of the time that a CPU
    predicts went into it. Letting the allocator keep what is freed is as fast, but the memory of
    1000 images was then 15 % above that of 10.
    """
    gc.set_threshold(COLLECTED_AFTER)
    os.environ.setdefault(HUGE_PAGES, "1")


def finish() -> None:
    """Let the process end without searching several times through what torch has imported."""
    gc.freeze()
