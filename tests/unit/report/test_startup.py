"""The command's process: freed memory is used again, and ends are quick."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.unit

TELL = """
import gc, resource, sys
from concurrent.futures import ThreadPoolExecutor
import numpy as np
from nnunet_vit.report import startup

if sys.argv[1] == "prepared":
    startup.prepare()

def arrays():
    return [np.ones(2**21) for _ in range(8)]  # 16 MB each

def in_threads(*_):
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda _: arrays() and None, range(2)))

where = in_threads if sys.argv[2] == "threads" else arrays
where(), where()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    where()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
print(gc.get_threshold()[0])
startup.settle()
print(gc.get_freeze_count() > 0)
"""


def told_by(how, where):
    done = subprocess.run(
        [sys.executable, "-c", TELL, how, where], capture_output=True, text=True, check=True
    )
    return done.stdout.split()


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator")
@pytest.mark.parametrize("where", ["first thread", "threads"])
def test_freed_memory_is_used_again(where):
    faults, after, frozen = told_by("prepared", where)
    assert int(faults) < 2000  # of 160,000 pages, or twice as many
    assert (after, frozen) == ("10000", "True")
    assert int(told_by("as it is", where)[0]) > 10 * int(faults)
