"""Tells trackers of a training; what happens to them changes nothing of it."""

import contextlib
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from pydantic_core import to_json

from nnunet_vit.checkpoints.fold_folder import SUMMARY, VALIDATION
from nnunet_vit.checkpoints.history_file import DICE_OF
from nnunet_vit.checkpoints.random_state import random_numbers_kept
from nnunet_vit.config.dump import flattened
from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.errors import UserError, message_of
from nnunet_vit.files.json_file import JsonObject, read_json, write_json
from nnunet_vit.trackers import named_tracker
from nnunet_vit.trackers.tracker import Followed, Outcome, TrackerSession
from nnunet_vit.training.callback import Training, TrainingCallback
from nnunet_vit.training.callbacks.epoch_figures import EpochMeasuring, by_column

FILE = "trackers.json"  # the identifiers of their sessions, by the trackers' names
GIVES_UP = 3  # failures in a row after which a tracker is left alone


class Following(TrainingCallback):
    """Hands epochs, pictures and the end to every tracker of the run.

    Attributes:
        sessions: of the trackers that still listen, by name.
    """

    order = 97  # after an epoch is saved, shown and written
    _begun = _trained = False

    def __init__(self) -> None:
        """Follow nothing yet."""
        self.sessions: dict[str, TrackerSession] = {}
        self._failures: dict[str, int] = {}

    def on_training_start(self, training: Training) -> None:
        """Begin the sessions, or take up those of the training that is resumed."""
        self._begin(training)

    def on_validation_start(self, training: Training) -> None:
        """Take the sessions up where a training that was done is validated."""
        if not self._begun and training.current_epoch == training.num_epochs:
            self._trained = True
            self._begin(training)

    def _begin(self, training: Training) -> None:
        self._begun = True
        if not training.saves:
            return
        known = _identifiers(training)
        for name, options in training.run.options_of_trackers.items():
            start = partial(_start, training, name, options=options, identifier=known.get(name))
            session = self._tried(training, name, start)
            if session is not None:
                self.sessions[name] = session
        if self.sessions:
            known |= {name: session.identifier for name, session in self.sessions.items()}
            with contextlib.suppress(OSError):
                write_json(known, training.fold_folder.path / FILE)

    def on_epoch_end(self, training: Training) -> None:
        """Hand over the epoch's figures."""
        figures = by_column(training.callbacks.of(EpochMeasuring).figures)
        named: dict[str, float] = {}
        for column, value in figures.items():
            name = _tracked_name(column)
            named[f"{name}_{len(named)}" if name in named else name] = value
        self._tell(training, lambda session: session.log(training.current_epoch, named))

    def show(self, training: Training, name: str, file: Path) -> None:
        """Hand over a picture."""
        self._tell(training, lambda session: session.picture(training.current_epoch, name, file))

    def on_training_end(self, training: Training) -> None:
        """Wait for the validation of the fold."""
        self._trained = True

    def on_validation_end(self, training: Training) -> None:
        """Hand over the fold's Dice after its validation, and close."""
        if not (self._trained and self.sessions):
            return
        error = sys.exc_info()[1]
        if error is not None:
            self.on_exception(training, error)
            return
        dice = _validation_dice(training.fold_folder.path)
        if dice is not None:
            figures = {"fold_dice": dice}
            self._tell(training, lambda session: session.log(training.current_epoch, figures))
        self._end(training, "failed" if dice is None else "finished")

    def on_exception(self, training: Training, error: BaseException) -> None:
        """Close the sessions."""
        self._end(training, "failed" if isinstance(error, Exception) else "stopped")

    def _end(self, training: Training, outcome: Outcome) -> None:
        self._tell(training, lambda session: session.end(outcome))
        self.sessions.clear()

    def _tell(self, training: Training, what: Callable[[TrackerSession], None]) -> None:
        for name, session in list(self.sessions.items()):
            self._tried(training, name, partial(what, session))
            if self._failures.get(name, 0) >= GIVES_UP:
                del self.sessions[name]

    def _tried(
        self, training: Training, name: str, what: Callable[[], TrackerSession | None]
    ) -> TrackerSession | None:
        """Call a tracker; an error of it is told once, and the training draws what it would."""
        try:
            with random_numbers_kept():
                found = what()
        except (Exception, SystemExit) as error:
            self._failures[name] = self._failures.get(name, 0) + 1
            said = f"Tracker '{name}' fails: {type(error).__name__}: {message_of(error, 300)}"
            training.print_to_log_file(said)
            if self._failures[name] == 1:
                training.progress.warn(f"{said.rstrip('.')}. The training continues.")
            return None
        self._failures[name] = 0
        return found


def _tracked_name(column: str) -> str:
    """Return a column's name as trackers group it: by the words before a slash."""
    if not column.startswith(DICE_OF):
        return column
    return f"dice_per_class/{column.removeprefix(DICE_OF).replace('/', '_')}"


def _start(
    training: Training, name: str, *, options: JsonObject, identifier: str | None
) -> TrackerSession:
    tracker, folder = named_tracker(name), training.fold_folder.path
    followed = Followed(
        name=f"{training.plans_name}-fold_{training.fold}",
        dataset=folder.parent.parent.name,  # nnU-Net's folder of the dataset's results
        folder=folder,
        settings=_settings(training.run),
        first_epoch=training.current_epoch,
        identifier=identifier,
    )
    return tracker.start(followed, tracker.options.model_validate_json(to_json(options)))


def _settings(run: ViTnnUNetConfig) -> dict[str, str | int | float | bool | None]:
    """Return the run file with one key per value, as train.initial_lr."""
    sections = run.model_dump(mode="json", exclude={"trackers", "paths"})
    return {
        key: value if value is None or isinstance(value, str | int | float | bool) else str(value)
        for key, value in flattened(sections)
    }


def _identifiers(training: Training) -> dict[str, str]:
    """Return the sessions of the training that is resumed; a new one has none."""
    if training.current_epoch == 0:
        return {}
    try:
        found = read_json(training.fold_folder.path / FILE, "")
    except UserError:
        return {}
    return {str(name): str(value) for name, value in dict(found).items()}


def _validation_dice(folder: Path) -> float | None:
    try:
        return float(read_json(folder / VALIDATION / SUMMARY, "")["foreground_mean"]["Dice"])
    except (UserError, LookupError, TypeError, ValueError):
        return None


CALLBACK = Following
