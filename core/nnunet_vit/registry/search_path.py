"""Where Python finds installed packages."""

import os
import sys
from collections.abc import Hashable


def search_path() -> Hashable:
    """Return what changes when a package is installed, removed or found in another place."""
    places = [(place, *_state(place or os.curdir)) for place in sys.path]
    return (*places, *map(id, sys.meta_path))


def _state(place: str) -> tuple[int, int]:
    try:
        found = os.stat(place)
    except OSError:
        return (0, 0)
    return (found.st_ino, found.st_mtime_ns)
