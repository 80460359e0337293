"""Freed memory goes back to the system: a prediction that takes hours takes no more of it."""

import contextlib
import ctypes
import sys

THRESHOLD = -3  # M_MMAP_THRESHOLD of glibc's malloc.h
BLOCK = 1 << 20  # bytes


def give_back_blocks() -> None:
    """Let blocks of a megabyte and more be mapped one by one from now on, and unmapped when freed.

    glibc raises that limit to 32 MB where such blocks are freed; what lies between smaller ones
    then stays with the process, more with every lane. Other systems' libraries decide themselves.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # a C library without mallopt
            ctypes.CDLL(None).mallopt(THRESHOLD, BLOCK)
