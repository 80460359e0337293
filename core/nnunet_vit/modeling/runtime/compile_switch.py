"""What of a network is compiled: the run's key, and nnU-Net's environment variable."""

import importlib.util
import os
import shutil

SWITCH, ON = "nnUNet_compile", ("true", "1", "t")
OFF, BLOCKS, WHOLE = "off", "blocks", "whole"
FEWEST = 5000  # steps for which 12 s of compiling pay: an H100 saves 12 ms in each
COMPILERS = ("cc", "gcc", "clang")  # of C: Triton builds its launchers with one


def compiling_is_asked_for() -> bool:
    """Tell whether the variable is t, true or 1."""
    return os.environ.get(SWITCH, "").lower() in ON


def compiled_part(wanted: str, device: str, steps: int) -> str:
    """Return what a training compiles: off, blocks or whole.

    Args:
        wanted: `train.compile` of the run; auto: what nnU-Net's variable says on a GPU, and without
            it the blocks where a GPU and what builds its kernels are there.
        device: its kind: cuda, cpu or mps.
        steps: of the whole training.
    """
    if wanted != "auto":
        return wanted
    if device != "cuda":
        return OFF
    if SWITCH in os.environ:
        return WHOLE if compiling_is_asked_for() else OFF
    return BLOCKS if steps >= FEWEST and _builds_kernels() else OFF


def _builds_kernels() -> bool:
    named = os.environ.get("CC")
    compilers = (named,) if named else COMPILERS
    return importlib.util.find_spec("triton") is not None and any(map(shutil.which, compilers))
