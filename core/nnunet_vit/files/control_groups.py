"""Linux' control groups, which containers and batch systems set limits of memory and time with."""

from collections.abc import Iterator
from pathlib import Path

PROC = Path("/proc")
GROUPS = Path("/sys/fs/cgroup")


def groups_of(controller: str) -> Iterator[tuple[Path, int]]:
    """Yield the folders of the process' groups up to the outermost, with their version, 1 or 2.

    Inside a container the path that the kernel names may lie outside of what is seen; the
    outermost folder is the container's own then.

    Args:
        controller: memory or cpu.
    """
    try:
        lines = (PROC / "self/cgroup").read_text().splitlines()
    except OSError:  # another system
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        top = GROUPS / controller if controllers else GROUPS
        inner = Path(path.lstrip("/"))
        for place in (inner, *inner.parents):
            yield top / place, 1 if controllers else 2
