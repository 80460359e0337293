"""Threads of the processor's cores, each of which computes without waiting for the others."""

import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import torch


def threads_with(cores: int, count: int) -> ThreadPoolExecutor:
    """Return a pool of threads whose operations take that many cores each.

    torch shares each operation among the cores and lets them wait for each other after it; for
    operations as small as a tile's, threads that compute a tile each are a quarter faster.

    Args:
        cores: of an operation.
        count: of threads.
    """
    usual, started = torch.get_num_threads(), threading.Barrier(count + 1)

    def start() -> None:
        torch.get_num_threads()  # the first time it asks, a thread takes over what others set
        torch.set_num_threads(cores)
        started.wait()

    pool = ThreadPoolExecutor(count, "network", initializer=start)
    for _ in range(count):
        pool.submit(int)
    started.wait()
    torch.set_num_threads(usual)  # what a thread sets, those that start later take over
    return pool


@contextlib.contextmanager
def single_core_beside(teams: int) -> Iterator[None]:
    """Let the operations of this thread, and of threads that it starts, take one core each.

    Where several teams keep all cores busy, an operation that is shared among the cores waits
    until each of them is free.

    Args:
        teams: that compute meanwhile. With one, nothing changes: it may be on a GPU.
    """
    usual = torch.get_num_threads()
    torch.set_num_threads(1 if teams > 1 else usual)
    try:
        yield
    finally:
        torch.set_num_threads(usual)
