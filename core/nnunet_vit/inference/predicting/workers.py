"""Threads that work ahead of the network and behind it, a few cases far."""

import contextlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")
AHEAD = 2  # cases: memory is bounded by them, not by how many there are


@contextlib.contextmanager
def worker() -> Iterator[ThreadPoolExecutor]:
    """Yield a thread that takes one task after another; what is waiting is dropped at the end."""
    pool = ThreadPoolExecutor(1)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def made_ahead(
    pool: ThreadPoolExecutor, make: Callable[[Given], Made], given: Iterable[Given]
) -> Iterator[Made]:
    """Yield what is made of each, in order, of which a few are made in advance."""
    begun: deque[Future[Made]] = deque()
    for one in given:
        begun.append(pool.submit(make, one))
        if len(begun) > AHEAD:
            yield begun.popleft().result()
    while begun:
        yield begun.popleft().result()
