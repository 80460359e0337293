"""Memory that runs out while a case is predicted: an error with the case and what it needs."""

import contextlib
from collections.abc import Callable, Iterator, Mapping

from nnunet_vit.errors import MachineError
from nnunet_vit.inference.tiling.forward import is_of_memory
from nnunet_vit.quantities import bytes_text


@contextlib.contextmanager
def naming_memory(case: str | Callable[[], str], memory: Mapping[str, int]) -> Iterator[None]:
    """Say which case it was if memory runs out inside.

    Args:
        case: its name, or what returns it.
        memory: bytes that cases take at least, where that is known.

    Raises:
        MachineError: memory ran out.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_of_memory(error):
            raise
        name = case if isinstance(case, str) else case()
        if type(error).__name__ == "OutOfMemoryError":
            raise MachineError(
                f"{name}: the GPU's memory ran out.",
                fix="--device cpu, or close what else uses the GPU.",
            ) from error
        told = " ".join(str(error).split())[:160]
        needed = memory.get(name, 0)
        least = f"; it needs at least {bytes_text(needed)}" if needed else ""
        raise MachineError(
            f"{name}: memory ran out{least}{f': {told}' if told else ''}.",
            fix="a machine with more memory, or cut the image into parts.",
        ) from error
