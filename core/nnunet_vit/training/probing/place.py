"""Whether a plan can be tried on this machine, by what the command line says of the device."""

from typing import TYPE_CHECKING

from nnunet_vit.errors import ConfigError, MachineError
from nnunet_vit.modeling.runtime.devices import choose_device
from nnunet_vit.planning.probing import ELSEWHERE, Probing

if TYPE_CHECKING:
    from nnunet_vit.training.probing.probe import Prober


def probing_of(
    gigabytes: float | None, device: str | None, *, wanted: bool | None, hours: float | None
) -> Probing:
    """Return how a plan is tried on this machine, or why it is not.

    Args:
        gigabytes: of --gpu-memory.
        device: of --device.
        wanted: of --probe and --no-probe; None: where it is quick.
        hours: of --hours.

    Raises:
        ConfigError: a measured step is asked for, and the device is not here.
    """
    prober, reason = _prober(gigabytes, device)
    if wanted is False:
        prober, reason = None, "--no-probe"
    if prober is None and (wanted or hours is not None):
        word = "--probe" if hours is None else f"--hours {hours:g}"
        raise ConfigError(f"{word} needs a measured training step: {reason}.", fix=ELSEWHERE)
    return Probing(prober, reason, insists=bool(wanted), hours=hours)


def _prober(gigabytes: float | None, device: str | None) -> "tuple[Prober | None, str]":
    """Return what tries plans where the device is here, or why nothing does."""
    try:
        here = choose_device(device or "cuda")
    except MachineError:
        return None, "the device that is planned for is not on this machine"
    if gigabytes is not None and device is None:
        return None, "--gpu-memory may mean another GPU; --device cuda tries this machine's"
    from nnunet_vit.training.probing.probe import Prober

    return Prober(here), ""
