"""How much of a device's memory a training step may take."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from nnunet_vit.errors import ConfigError
from nnunet_vit.files.machine_memory import bytes_available, bytes_of_machine
from nnunet_vit.modeling.runtime.devices import choose_device, device_kind
from nnunet_vit.quantities import bytes_text

SOFTWARE = 1_000_000_000  # bytes: CUDA's context, kernels and their workspace take 0.5 to 1 GB
MARGIN = 0.1  # of the memory: pieces that torch's allocator cannot join, and what a desktop takes
SHARED_MARGIN = 0.25  # of what is free of a machine, all of it for a training's workers
GIVE = "--gpu-memory 24: the GB of the GPU that will train."


@dataclass(frozen=True)
class MemoryLimit:
    """The memory of a device.

    Attributes:
        total: bytes.
        device: cuda, cpu or mps.
        name: of the device, for people.
        bfloat16: whether it computes in it; None: not known.
        share: of the memory, that is left free.
        predicted: what is predicted for a step, by what a probe has measured; 1: not measured.
    """

    total: int
    device: str
    name: str
    bfloat16: bool | None = None
    share: float = MARGIN
    predicted: float = 1.0

    @property
    def software(self) -> int:
        """Bytes that the device's own software takes."""
        return SOFTWARE if self.device == "cuda" else 0

    @property
    def margin(self) -> int:
        """Bytes that are left free."""
        return round(self.share * self.total)

    @property
    def room(self) -> int:
        """Bytes that a training step may hold."""
        return self.total - self.software - self.margin

    @property
    def usable(self) -> int:
        """Bytes that may be predicted for a training step."""
        return int(self.room * self.predicted)

    def total_for(self, step: int) -> int:
        """Return the bytes that a device must have for a step of that many."""
        return round((step / self.predicted + self.software) / (1 - self.share))


def limit_of(gigabytes: float | None, device: str | None) -> MemoryLimit:
    """Return the memory to plan for.

    Args:
        gigabytes: that were given, of 1e9 bytes; None: those of this machine's device.
        device: cuda, cuda:1, cpu or mps; None: cuda.

    Raises:
        ConfigError: no number was given and there is no GPU whose memory could be read.
        MachineError: that device is not there.
    """
    kind = device_kind(device or "cuda")
    if gigabytes is not None:
        where = {"cuda": "a GPU", "mps": "an Apple GPU", "cpu": "a CPU"}[kind]
        given = MemoryLimit(round(gigabytes * 1e9), kind, f"{where} with {gigabytes:g} GB")
        if given.usable <= 0:
            raise ConfigError(
                f"--gpu-memory {gigabytes:g}: a GPU's software takes {bytes_text(SOFTWARE)} and "
                f"{bytes_text(given.margin)} are left free: nothing is left.",
                fix=GIVE,
            )
        return given
    import torch

    if kind == "cuda" and not torch.cuda.is_available():
        raise ConfigError("There is no GPU on this machine whose memory could be read.", fix=GIVE)
    return limit_here([choose_device(device or "cuda")])


def limit_here(devices: Sequence[str]) -> MemoryLimit:
    """Return the memory of one of several trainings, each on its device of this machine.

    Those on one device share its memory; where devices differ, the one that has least decides.

    Args:
        devices: as `choose_device` returns them, one for each training.
    """
    trainings = Counter(devices)
    found = [_shared(_of_device(device), number) for device, number in trainings.items()]
    least = min(found, key=lambda limit: limit.usable)
    without = any(limit.bfloat16 is False for limit in found)
    return replace(least, bfloat16=False if without else least.bfloat16)


def _of_device(device: str) -> MemoryLimit:
    kind = device_kind(device)
    if kind != "cuda":  # it has no memory of its own
        free = bytes_available()
        free = bytes_of_machine() // 2 if free is None else free
        return MemoryLimit(free, kind, "this machine's free memory", share=SHARED_MARGIN)
    import torch

    found = torch.cuda.get_device_properties(device)
    bfloat16 = torch.cuda.is_bf16_supported(including_emulation=False)
    return MemoryLimit(found.total_memory, kind, found.name, bfloat16)


def _shared(limit: MemoryLimit, trainings: int) -> MemoryLimit:
    if trainings == 1:
        return limit
    name = f"one of {trainings} shares of {limit.name}"
    return replace(limit, total=limit.total // trainings, name=name)
