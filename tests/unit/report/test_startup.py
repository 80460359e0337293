"""The command's process: freed memory is used again, and ends are quick."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.unit

ALLOCATIONS = """
import gc, os, resource, sys
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
print(gc.get_threshold()[0], os.environ.get(startup.HUGE_PAGES))
startup.finish()
print(gc.get_freeze_count() > 0)
"""


def told_by(how, **environment):
    done = subprocess.run(
        [sys.executable, "-c", ALLOCATIONS, how],
        capture_output=True, text=True, check=True, env={"PATH": "", **environment},
    )  # fmt: skip
    return done.stdout.split()


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator")
def test_freed_memory_is_used_again():
    faults, after, huge, frozen = told_by("prepared")
    assert int(faults) < 1000  # of 160,000 pages
    assert (after, huge, frozen) == ("10000", "1", "True")
    assert int(told_by("as it is")[0]) > 10 * int(faults)


def test_what_the_user_has_set_stays():
    assert told_by("prepared", THP_MEM_ALLOC_ENABLE="0")[2] == "0"
