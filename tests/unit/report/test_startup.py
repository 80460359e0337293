"""The command's process: freed memory is used again, and ends are quick."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.unit

TELL = """
import gc, resource, sys
import numpy as np
from nnunet_vit.report import startup

if sys.argv[1] == "prepared":
    startup.prepare()

def arrays():
    return [np.ones(2**21) for _ in range(8)]  # 16 MB each

arrays(), arrays()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    arrays()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
print(gc.get_threshold()[0])
startup.settle()
print(gc.get_freeze_count() > 0)
"""


def told_by(how):
    done = subprocess.run(
        [sys.executable, "-c", TELL, how], capture_output=True, text=True, check=True
    )
    return done.stdout.split()


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator")
def test_freed_memory_is_used_again():
    faults, after, frozen = told_by("prepared")
    assert int(faults) < 1000  # of 160,000 pages
    assert (after, frozen) == ("10000", "True")
    assert int(told_by("as it is")[0]) > 10 * int(faults)
