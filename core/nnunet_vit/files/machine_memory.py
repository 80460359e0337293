"""How much memory this machine, or the container that the process runs in, has and has free."""

import contextlib
import os
import re
from collections.abc import Iterator

from nnunet_vit.files import control_groups

# the limit, what is held, and the line of memory.stat with what the kernel gives back: of the two
# versions of Linux' control groups
FILES = {
    2: ("memory.max", "memory.current", "inactive_file"),
    1: ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
}


def bytes_of_machine() -> int:
    """Return the memory of the machine or of its container; 0 where the system does not say."""
    with contextlib.suppress(ValueError, OSError, AttributeError):
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        return min([memory, *(limit for limit, _ in _limits())])
    return 0


def bytes_available() -> int | None:
    """Return what new processes may take without swapping; None where the system does not say.

    The least of what Linux calls available and of what each limit around this process leaves;
    files that the kernel keeps in memory and gives back count as free.
    """
    with contextlib.suppress(ValueError, OSError):
        found = re.search(
            r"^MemAvailable:\s+(\d+) kB", (control_groups.PROC / "meminfo").read_text(), re.M
        )
        if found:
            left = [max(0, limit - held) for limit, held in _limits()]
            return min([1024 * int(found[1]), *left])
    return None


def _limits() -> Iterator[tuple[int, int]]:
    """Yield the limit and what is held, in bytes, of each control group around this process."""
    for folder, version in control_groups.groups_of("memory"):
        limit, usage, given_back = FILES[version]
        with contextlib.suppress(ValueError, OSError):  # "max", or no such file
            allowed, held = int((folder / limit).read_text()), int((folder / usage).read_text())
            statistics = (folder / "memory.stat").read_text()
            files = re.search(rf"^{given_back} (\d+)", statistics, re.M)
            yield allowed, held - (int(files[1]) if files else 0)
