"""The processes that make batches, and their end."""

from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from queue import Empty
from queue import Queue as ThreadQueue
from threading import Thread
from typing import Any

from batchgenerators.dataloading.multi_threaded_augmenter import MultiThreadedAugmenter

from nnunet_vit.files.json_file import JsonObject

GONE = (ConnectionError, FileNotFoundError, EOFError)  # of a tensor whose worker has ended


class BatchWorkers(MultiThreadedAugmenter):  # type: ignore[misc]
    """batchgenerators' processes, whose end prints no traceback and whose loss is told."""

    pin_memory_queue: Any  # batchgenerators' own, then that queue watched

    def close(self) -> None:
        """End the processes."""
        self._finish()

    def _start(self) -> None:
        """Start the processes; batchgenerators calls this for the first batch."""
        super()._start()
        # the thread that receives goes through this very list
        self._queues[:] = [FromWorker(queue, self.abort_event) for queue in self._queues]
        self.pin_memory_queue = FromReceiver(
            self.pin_memory_queue, self.abort_event, self.pin_memory_thread
        )


class FromWorker:
    """A worker's queue: a tensor in it is received from the worker, which may have gone.

    The thread that receives would print its traceback over the screen.
    """

    def __init__(self, queue: "Queue[JsonObject]", ended: Event) -> None:
        """Take the queue, and what is set once the workers are to end."""
        self._queue = queue
        self._ended = ended

    def get(self, timeout: float) -> JsonObject:
        """Return the next batch.

        Raises:
            Empty: none came in time (seconds), or its worker has gone: then all are to end.
        """
        try:
            return self._queue.get(timeout=timeout)
        except GONE:
            self._ended.set()
            raise Empty from None

    def __getattr__(self, name: str) -> object:
        return getattr(self._queue, name)


class FromReceiver:
    """The queue between the thread that receives and the training, which waits for no dead thread.

    Whatever ends the thread, too many open files or memory that cannot be pinned, ends all.
    """

    def __init__(self, queue: "ThreadQueue[JsonObject]", ended: Event, receiver: Thread) -> None:
        """Take the queue, what is set once the workers are to end, and the thread."""
        self._queue = queue
        self._ended = ended
        self._receiver = receiver

    def get(self, timeout: float) -> JsonObject:
        """Return the next batch.

        Raises:
            Empty: none came in time (seconds); where none will come, all are to end.
        """
        try:
            return self._queue.get(timeout=timeout)
        except Empty:
            if not self._receiver.is_alive():
                self._ended.set()
            raise

    def __getattr__(self, name: str) -> object:
        return getattr(self._queue, name)
