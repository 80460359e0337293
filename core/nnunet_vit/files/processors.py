"""How many processors this process may use: not always all that the machine has."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from nnunet_vit.files.control_groups import groups_of


def usable_processors() -> int:
    """Return the processors that the system, a batch system or a container lets this process use.

    The least of those of the machine, those that the process is bound to, and the time that the
    control groups around it are given, rounded up to whole processors; at least 1.
    """
    return max(1, min(_counts()))


def _counts() -> Iterator[int]:
    yield os.cpu_count() or 1
    with contextlib.suppress(AttributeError, OSError):  # of Linux alone
        yield len(os.sched_getaffinity(0))
    for folder, version in groups_of("cpu"):
        with contextlib.suppress(ValueError, OSError):  # "max", or no such file
            quota, period = _time(folder, version)
            if quota > 0:  # -1: no limit
                yield -(-quota // period)


def _time(folder: Path, version: int) -> tuple[int, int]:
    """Return the microseconds that a group may compute, and out of how many."""
    if version == 2:
        quota, period = (folder / "cpu.max").read_text().split()
        return int(quota), int(period)
    names = ("cpu.cfs_quota_us", "cpu.cfs_period_us")
    quota, period = ((folder / name).read_text() for name in names)
    return int(quota), int(period)
