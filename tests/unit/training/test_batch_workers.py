"""Processes that make batches: they end without a word, and a lost one is told."""

import errno
import os
import signal
import threading
import time

import pytest
import torch

from nnunet_vit.training.dataloading import augmenter

pytestmark = pytest.mark.unit


class Tensors:
    """Batches of many tensors: each is received from the process that has made it."""

    def __next__(self):
        return {str(number): torch.rand(2) for number in range(50)}


@pytest.fixture
def failures(monkeypatch):
    """What threads failed with, in place of their tracebacks."""
    found = []
    monkeypatch.setattr(threading, "excepthook", lambda args: found.append(args.exc_value))
    return found


@pytest.fixture
def workers():
    made = augmenter(Tensors(), 7, 0, workers=3, pin_memory=False)
    yield made
    made.close()


@pytest.mark.parametrize("attempt", range(5))
def test_batches_that_nobody_takes_fail_no_thread(failures, workers, attempt):
    next(workers)
    time.sleep(0.02 * attempt)
    workers.close()
    assert failures == []


def test_an_end_before_a_beginning_and_after_an_end_is_none(failures, workers):
    workers.close()
    next(workers)
    workers.close()
    workers.close()
    assert failures == []
    assert workers._processes == []


def test_a_killed_worker_ends_the_batches(failures, workers):
    next(workers)
    for process in workers._processes:
        os.kill(process.pid, signal.SIGKILL)
    with pytest.raises(RuntimeError, match="no longer alive"):
        for _ in range(100):
            next(workers)
    assert all("no longer alive" in str(failure) for failure in failures)


@pytest.fixture
def refused(workers, monkeypatch):
    """`refused(error)`: the first worker's next batches cannot be received."""

    def refuse(error):
        def get(timeout):
            raise error

        next(workers)
        monkeypatch.setattr(workers._queues[0]._queue, "get", get)
        with pytest.raises(RuntimeError, match="no longer alive"):
            for _ in range(100):
                next(workers)

    return refuse


@pytest.mark.parametrize("error", [ConnectionRefusedError(), FileNotFoundError(), EOFError()])
def test_what_a_lost_worker_had_sent_ends_the_batches_without_a_word(failures, refused, error):
    refused(error)
    assert failures == []


@pytest.mark.parametrize(
    "error",
    [OSError(errno.EMFILE, "Too many open files"), RuntimeError("received 0 items of ancdata")],
)
def test_what_cannot_be_received_for_another_reason_is_told(failures, refused, error):
    refused(error)
    assert failures == [error]
