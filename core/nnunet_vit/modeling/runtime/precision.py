"""The precision that a network computes in."""

import torch

from nnunet_vit.errors import MachineError
from nnunet_vit.modeling.runtime.cpu_bfloat16 import is_quick_in_bfloat16


def computes_in_bfloat16(precision: str, device: str, cpu_bfloat16: bool = True) -> bool:
    """Tell whether a network computes in bfloat16 where the device has it.

    Args:
        precision: section `model` of the run: auto, bfloat16 or float32.
        device: its kind: cuda, cpu or mps.
        cpu_bfloat16: whether `auto` is bfloat16 on CPUs too that are quicker in it. It is not for
            models of versions before, whose masks stay the same.
    """
    if precision != "auto":
        return precision == "bfloat16"
    return device == "cuda" or (device == "cpu" and cpu_bfloat16 and is_quick_in_bfloat16())


def in_bfloat16_on(
    device: torch.device, precision: str = "auto", cpu_bfloat16: bool = True
) -> bool:
    """Tell whether a network computes in bfloat16 on a device of this machine.

    DINOv3 does not survive float16, which nnU-Net would use.

    Args:
        device: of the images.
        precision: float32; bfloat16; auto: bfloat16 on GPUs that have it and CPUs that are quicker
            in it, else float32.
        cpu_bfloat16: as of `computes_in_bfloat16`.

    Raises:
        MachineError: bfloat16 is asked for and the GPU does not have it.
    """
    has_bfloat16 = device.type != "cuda" or torch.cuda.is_bf16_supported(including_emulation=False)
    if precision == "bfloat16" and not has_bfloat16:
        raise MachineError(
            "model.precision: this GPU has no bfloat16.", fix="model.precision: auto, or float32."
        )
    return has_bfloat16 and computes_in_bfloat16(precision, device.type, cpu_bfloat16)


def autocast_of(
    device: torch.device, precision: str = "auto", cpu_bfloat16: bool = True
) -> torch.autocast:
    """Return the autocast context of a network on that device; it closes one that is around it.

    Arguments and errors are those of `in_bfloat16_on`.
    """
    enabled = in_bfloat16_on(device, precision, cpu_bfloat16)
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=enabled)
