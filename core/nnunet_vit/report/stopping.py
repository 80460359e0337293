"""Ctrl-C, SIGTERM and a closed terminal stop the work in the same way, and say what is saved."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType

from nnunet_vit.errors import Stopped
from nnunet_vit.report.stuck_pools import leave_stuck_pools, stop_looking

FOLLOWS = "NNUNET_VIT_FOLLOWS"  # a variable of commands that another command starts
# a shell, a terminal and `timeout` may send one request to process and group: twice at once
SAME_REQUEST = 1.0  # seconds
SIGNALS = tuple(
    number
    for name in ("SIGINT", "SIGTERM", "SIGHUP")
    if (number := getattr(signal, name, None)) is not None  # Windows lacks some
)
UNTOUCHED = (signal.SIG_DFL, signal.default_int_handler)  # nohup ignores SIGHUP: it stays so

_received: tuple[int, float] | None = None  # the signal and when, by the monotonic clock
_listening = False


def follow_parent() -> None:
    """Stop when the process that has started this one is gone, however it ended.

    That one holds the other end of this one's standard input and writes nothing into it.
    """

    def wait() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 1):  # not sys.stdin, whose lock a thread must not hold at the exit
                pass
        os.kill(os.getpid(), signal.SIGTERM)

    if os.environ.pop(FOLLOWS, ""):  # workers have standard inputs of their own
        threading.Thread(target=wait, daemon=True).start()


@contextlib.contextmanager
def listening() -> Iterator[None]:
    """Let each of the signals raise KeyboardInterrupt in the main thread; a second one exits.

    In another thread, which can have no handlers, nothing changes.
    """
    global _listening, _received
    if _listening or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    ours = [number for number, handler in before.items() if handler in UNTOUCHED]
    _received, _listening = None, True
    try:
        for number in ours:
            signal.signal(number, _stop)
        yield
    finally:
        _listening = False
        stop_looking()
        for number in ours:
            signal.signal(number, before[number])


@contextlib.contextmanager
def stops_with(saved: Callable[[], Stopped]) -> Iterator[None]:
    """Say what is saved when the work inside is stopped.

    Args:
        saved: looks at what is there and returns the exception that says so.

    Raises:
        Stopped: in place of KeyboardInterrupt.
    """
    try:
        yield
    except KeyboardInterrupt as error:
        raise saved() from error


def was_asked() -> bool:
    """Tell whether a signal has asked the work to stop: what fails then fails for that reason."""
    return _received is not None


def exit_code() -> int:
    """Return what a process that a signal stopped returns: 128 and the signal's number."""
    return 128 + (signal.SIGINT if _received is None else _received[0])


def _stop(number: int, _frame: FrameType | None) -> None:
    global _received
    now = time.monotonic()
    if _received is None:
        _received = number, now
        leave_stuck_pools()
        raise KeyboardInterrupt
    if now - _received[1] > SAME_REQUEST:
        import multiprocessing  # a light command does without

        for child in multiprocessing.active_children():
            child.kill()
        os._exit(128 + number)


def _in_worker() -> None:
    """Let the parent end its forked workers: they stop at SIGTERM and do not see Ctrl-C."""
    global _listening, _received
    if _listening:
        _listening, _received = False, None
        for number in SIGNALS:
            ignored = number == signal.SIGINT or signal.getsignal(number) == signal.SIG_IGN
            signal.signal(number, signal.SIG_IGN if ignored else signal.SIG_DFL)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_worker)
