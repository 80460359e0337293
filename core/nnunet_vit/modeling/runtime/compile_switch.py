"""nnU-Net's switch for compiled networks: an environment variable."""

import os

SWITCH, ON = "nnUNet_compile", ("true", "1", "t")


def compiling_is_asked_for() -> bool:
    """Tell whether the variable is t, true or 1."""
    return os.environ.get(SWITCH, "").lower() in ON
