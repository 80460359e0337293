"""The device to compute on: what --device may say, and whether it is there."""

import re

from nnunet_vit.errors import ConfigError, MachineError

ALLOWED = "cuda, cuda:NUMBER, mps, cpu"
DEVICE = re.compile(r"(cuda|mps|cpu)(?::(\d+))?")


def device_kind(wanted: str) -> str:
    """Return cuda, mps or cpu of what --device says, whether there is one here or not.

    Raises:
        ConfigError: nothing is called so.
    """
    return _parsed(wanted)[0]


def choose_device(wanted: str | None) -> str:
    """Return the device to use, for torch; a GPU that is chosen by its number becomes the current.

    Raises:
        ConfigError: nothing is called so.
        MachineError: the wanted one is not there.
    """
    import torch

    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    there = {"cuda": gpus > 0, "mps": torch.backends.mps.is_available(), "cpu": True}
    if wanted is None:
        return next(kind for kind, available in there.items() if available)
    kind, number = _parsed(wanted)
    if not there[kind] or (kind == "cuda" and number >= gpus):
        numbered = [f"cuda:{gpu}" for gpu in range(gpus)] if ":" in wanted else ["cuda"][:gpus]
        others = [name for name in ("mps", "cpu") if there[name]]
        raise MachineError(
            f"--device {wanted} is not available here; available: "
            f"{', '.join([*numbered, *others])}."
        )
    if kind == "cuda" and ":" in wanted:
        torch.cuda.set_device(number)
        return f"{kind}:{number}"
    return kind


def _parsed(wanted: str) -> tuple[str, int]:
    match = DEVICE.fullmatch(wanted)
    if match is None or (match[1] != "cuda" and int(match[2] or 0)):  # there is one CPU, one mps
        raise ConfigError(f"--device {wanted} is unknown; allowed: {ALLOWED}.")
    return match[1], int(match[2] or 0)
