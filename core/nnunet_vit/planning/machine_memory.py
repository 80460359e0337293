"""How much of this machine's memory is free."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from nnunet_vit.data.checks.sampling import bytes_of_machine

MEMINFO = Path("/proc/meminfo")
OWN_GROUP = Path("/proc/self/cgroup")
GROUPS = Path("/sys/fs/cgroup")
# of a control group's two versions: the folder, its limit, what is in use
FILES = (("", "memory.max", "memory.current"),
         ("memory", "memory.limit_in_bytes", "memory.usage_in_bytes"))  # fmt: skip
CACHED = ("inactive_file", "total_inactive_file")  # of files; given back when it is wanted


def free_memory() -> int:
    """Return the bytes that are free: the machine's, or those of a container that has fewer.

    Where the system does not say, half of what the machine has; 0 where it does not say that.
    """
    found = [*_of_system(), *_of_groups()]
    return min(found) if found else bytes_of_machine() // 2


def _of_system() -> Iterator[int]:
    with contextlib.suppress(OSError, KeyError, ValueError):
        lines = (line.partition(":") for line in MEMINFO.read_text().splitlines())
        values = {name: value for name, _, value in lines}
        yield 1024 * int(values["MemAvailable"].split()[0])


def _of_groups() -> Iterator[int]:
    """Yield what is left of each limit that holds for this process."""
    for folder, limit, used in FILES:
        root = GROUPS / folder
        for place in _places(root):
            with contextlib.suppress(OSError, ValueError):  # "max", or no such file
                most = int((place / limit).read_text())
                yield max(0, most - int((place / used).read_text()) + _cached(place))


def _places(root: Path) -> Iterator[Path]:
    """Yield the folders of this process's control groups, from its own to the outermost."""
    names = {"/"}
    with contextlib.suppress(OSError):
        names |= {line.split(":", 2)[2] for line in OWN_GROUP.read_text().splitlines()}
    for name in names:
        place = root / name.strip().lstrip("/")
        while place.is_relative_to(root):
            yield place
            place = place.parent


def _cached(place: Path) -> int:
    with contextlib.suppress(OSError, ValueError):
        lines = (place / "memory.stat").read_text().splitlines()
        values = dict(line.split() for line in lines if line.count(" ") == 1)
        return max(int(values.get(name, 0)) for name in CACHED)
    return 0
