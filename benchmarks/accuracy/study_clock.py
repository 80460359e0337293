"""The processor's time of a training and of the workers that it has started.

On a core of its own it is the time that passes; where other work shares the core it is what the
training would have taken alone, nearly.
"""

import os
from contextlib import suppress
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
GONE = (FileNotFoundError, ProcessLookupError)  # it has ended meanwhile
USER, SYSTEM = 11, 12  # in /proc/PID/stat, counted behind the name


def processor_seconds(process):
    """Return the seconds of a process and of all below it that are still there."""
    return sum(_own(each) for each in _tree(process))


def _tree(process):
    yield process
    for tasks in Path(f"/proc/{process}/task").glob("*/children"):
        with suppress(*GONE):
            for child in tasks.read_text().split():
                yield from _tree(int(child))


def _own(process):
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except GONE:
        return 0.0
    return (int(fields[USER]) + int(fields[SYSTEM])) / TICKS
