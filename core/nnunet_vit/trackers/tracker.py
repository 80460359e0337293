"""What a tracker is: a name, its options, and how it begins to follow a training."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict

Outcome = Literal["finished", "failed", "stopped"]


class TrackerOptions(BaseModel):
    """Base of a tracker's options: the keys below its name in `trackers` of the run file.

    Give each field a description, and repr=False where errors must not show the value. Unknown keys
    and wrong types are errors. The options are kept with the model: secrets belong into variables.
    """

    model_config = ConfigDict(extra="forbid", strict=True)


@dataclass(frozen=True)
class Followed:
    """A training that is to be followed.

    Attributes:
        name: of the run and its fold.
        dataset: its name.
        folder: of the fold; a tracker that needs files keeps them in a folder of its own there.
        settings: the whole run file, by keys like train.initial_lr.
        first_epoch: epochs that are done already.
        identifier: of the session that followed the training before it was resumed; None: none did.
    """

    name: str
    dataset: str
    folder: Path
    settings: Mapping[str, str | int | float | bool | None]
    first_epoch: int
    identifier: str | None


class TrackerSession(Protocol):
    """A tracker that follows a training; whatever it raises is told once and stops nothing.

    Attributes:
        identifier: by which it finds this session when the training is resumed.
    """

    identifier: str

    def log(self, epoch: int, figures: Mapping[str, float]) -> None:
        """Take the figures of an epoch, which is counted from 1; some may not be finite."""

    def picture(self, epoch: int, name: str, file: Path) -> None:
        """Take a PNG file that was drawn after an epoch."""

    def end(self, outcome: Outcome) -> None:
        """Close the session."""


@dataclass(frozen=True)
class Tracker:
    """A place where the figures of trainings are kept and looked at.

    Attributes:
        name: what `trackers` says.
        summary: one line.
        package: that has to be importable.
        distribution: that brings it, as pip takes it.
        start: begins to follow a training with its options.
        options: the pydantic model of its keys.
    """

    name: str
    summary: str
    package: str
    distribution: str
    start: Callable[[Followed, Any], TrackerSession]  # Any: an instance of `options`
    options: type[TrackerOptions] = TrackerOptions
