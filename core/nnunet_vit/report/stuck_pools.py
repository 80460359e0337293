"""Pools of workers that never end, because a signal has killed the workers.

To end, `multiprocessing.Pool` takes the locks of its queues. A worker that was killed while it
waited for work, as Ctrl-C and a cluster's signals to a whole group kill it, holds one for ever.
"""

import signal
from types import FrameType

ENDS_POOLS = "_terminate_pool"  # the function of multiprocessing.pool that waits
INTERVAL = 1.5  # seconds: a pool that ends takes milliseconds

_seen: FrameType | None = None


def leave_stuck_pools() -> None:
    """From now on, raise KeyboardInterrupt where the main thread still waits for a pool to end.

    The workers that are left end with the process. Systems without alarms (Windows) do nothing.
    """
    if hasattr(signal, "setitimer") and signal.getsignal(signal.SIGALRM) is signal.SIG_DFL:
        signal.signal(signal.SIGALRM, _look)
        signal.setitimer(signal.ITIMER_REAL, INTERVAL, INTERVAL)


def stop_looking() -> None:
    """Undo `leave_stuck_pools`."""
    global _seen
    if hasattr(signal, "setitimer") and signal.getsignal(signal.SIGALRM) is _look:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        _seen = None


def _look(_number: int, frame: FrameType | None) -> None:
    """Interrupt a wait that was seen the last time too."""
    global _seen
    while frame is not None and frame.f_code.co_name != ENDS_POOLS:
        frame = frame.f_back
    stuck, _seen = frame is not None and frame is _seen, frame
    if stuck:
        raise KeyboardInterrupt
