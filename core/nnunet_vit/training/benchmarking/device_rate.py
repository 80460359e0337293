"""How fast a device is at its best: the rate of a large matrix product."""

import platform
import re
from pathlib import Path
from time import perf_counter

import torch

EDGES = {"cuda": 8192, "mps": 4096}  # of the matrices
EDGE = 2048  # on a CPU
REPEATS = 12
ENOUGH = 3.0  # seconds


def peak_rate(device: torch.device, precision: str) -> float:
    """Return operations a second, the best of a few products.

    Args:
        device: to compute on.
        precision: bfloat16 or float32, as the network's.
    """
    edge = EDGES.get(device.type, EDGE)
    kind = torch.bfloat16 if precision == "bfloat16" else torch.float32
    left, right = (torch.randn(edge, edge, device=device).to(kind) for _ in range(2))
    taken: list[float] = []
    while len(taken) < REPEATS and (len(taken) < 2 or sum(taken) < ENOUGH):
        _wait_for(device)
        began = perf_counter()
        left @ right
        _wait_for(device)
        taken.append(perf_counter() - began)
    return 2 * edge**3 / min(taken)


def device_name(device: torch.device) -> str:
    """Return a device's name for people."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.M)
    except OSError:  # another system
        found = None
    return found[1] if found else platform.processor() or platform.machine()


def _wait_for(device: torch.device) -> None:
    if device.type != "cpu":
        (torch.cuda if device.type == "cuda" else torch.mps).synchronize()
