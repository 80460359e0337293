"""How much memory training steps take at their peak, measured."""

import contextlib
import re
from pathlib import Path

import torch

STATUS, FORGET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
PEAK = "5"  # what makes Linux forget the highest resident memory


class MemoryGrowth:
    """The most that is held since its making: of a GPU allocated, else resident in this process."""

    def __init__(self, device: torch.device) -> None:
        """Begin."""
        self._device = device
        self.aside = 0  # bytes that came meanwhile and are not meant
        if device.type == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats(device)
            self._before: int | None = torch.cuda.memory_allocated(device)
        elif device.type == "cpu" and _forget_peak():
            self._before = resident("VmRSS")
        else:
            self._before = None

    def at_peak(self) -> int | None:
        """Return the bytes; None: the system does not say."""
        if self._before is None:
            return None
        if self._device.type == "cuda":
            return torch.cuda.max_memory_allocated(self._device) - self._before
        peak = resident("VmHWM")
        return None if peak is None else max(0, peak - self._before - self.aside)


def resident(name: str) -> int | None:
    """Return a line of what Linux says of this process's memory, in bytes."""
    with contextlib.suppress(OSError):
        found = re.search(rf"^{name}:\s+(\d+) kB", STATUS.read_text(), re.M)
        return 1024 * int(found[1]) if found else None
    return None


def _forget_peak() -> bool:
    try:
        FORGET.write_text(PEAK)
    except OSError:  # another system, or one that keeps it
        return False
    return True
