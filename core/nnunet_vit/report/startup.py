"""What the command's process is told before anything heavy is imported, and after it."""

import contextlib
import gc
import importlib.util
import sys

from nnunet_vit.report.light_imports import import_lightly

# new objects between two searches for unused ones: with Python's 700, imports take a third longer
COLLECTED_AFTER = 10_000
# imageio tries to import it for each picture that it opens: a search through all of Python's path
SOUGHT_EACH_TIME = "pillow_heif"
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # glibc's, of malloc.h
KEPT, SHARED = 2**29, 2**25  # bytes that stay with the process; of blocks that are used again


def prepare() -> None:
    """Let Python search less, for unused objects and for modules, and use freed memory again.

    A network's tensors come and go by the megabyte. Where the system takes each back and hands out
    empty pages for the next, a tenth of the time that a CPU predicts goes into it.
    """
    gc.set_threshold(COLLECTED_AFTER)
    if importlib.util.find_spec(SOUGHT_EACH_TIME) is None:
        sys.modules[SOUGHT_EACH_TIME] = None  # type: ignore[assignment] # an import fails at once
    import_lightly()
    use_allocator(kept=KEPT, shared=SHARED)


def use_allocator(*, kept: int, shared: int) -> None:
    """Tell glibc's allocator what to do with freed memory; other libraries decide themselves.

    Args:
        kept: bytes of freed memory at most that wait for what comes next.
        shared: bytes; larger blocks come from the system one by one, and go back when freed.
    """
    if sys.platform == "linux":
        import ctypes

        with contextlib.suppress(OSError, AttributeError):  # a C library without mallopt
            library = ctypes.CDLL(None)
            library.mallopt(MMAP_THRESHOLD, shared)
            library.mallopt(TRIM_THRESHOLD, kept)


def settle() -> None:
    """Leave what there is out of the search for unused objects, from now on.

    To look through all that torch and its companions have imported takes a quarter of a second
    each time, at the end of the process several times.
    """
    gc.freeze()
