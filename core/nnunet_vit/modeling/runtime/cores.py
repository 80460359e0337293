"""Threads of the processor's cores, each of which computes without waiting for the others."""

import threading
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
        torch.set_num_threads(cores)
        started.wait()

    pool = ThreadPoolExecutor(count, "network", initializer=start)
    for _ in range(count):
        pool.submit(int)
    started.wait()
    torch.set_num_threads(usual)  # what a thread sets, those that start later take over
    return pool
