"""The stages of a training: one, and one more each time that it is lengthened."""

from typing import NamedTuple

from nnunet_vit.files.json_file import JsonObject

STAGES = "stages"  # the key in a checkpoint's state


class Stage(NamedTuple):
    """Epochs whose learning rates were planned together.

    Attributes:
        first: epoch of the stage, counted from 0.
        end: the epoch after its last one as it was planned.
    """

    first: int
    end: int


def stages_of(state: JsonObject) -> list[Stage]:
    """Return the stages that a checkpoint's state holds; that of an earlier version has one."""
    stored = state.get(STAGES) or [[0, state["run"]["train"]["num_epochs"]]]
    return [Stage(*pair) for pair in stored]
