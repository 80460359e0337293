"""Ends a training before its last epoch: on a plateau of the Dice, or because a file asks for it.

`train.patience` counts the epochs in which nnU-Net's moving average of the Dice has not risen. A
file `finish` in the fold's folder makes the running epoch the last one; a file `stop` stops the
training after it as Ctrl-C does, but without losing the epoch: --continue resumes it.
"""

import math
from collections.abc import Sequence

from nnunet_vit.errors import counted
from nnunet_vit.training.callback import Training, TrainingCallback

KEPT = 0.9  # share of the average that an epoch keeps, as in nnU-Net
PATIENCE, FINISH, STOP = "patience", "finish", "stop"
ASKED_BY_FILE = (FINISH, STOP)  # the names of the files


class Ending(TrainingCallback):
    """Looks at the end of each epoch whether it is the last one."""

    order = 70  # before the epoch is saved: the checkpoint says that it is the last

    def on_training_start(self, training: Training) -> None:
        """Remove the files of an earlier training."""
        if training.saves:
            _take_files(training)

    def on_epoch_end(self, training: Training) -> None:
        """End the training where something asks for it; all processes alike."""
        asked = _take_files(training) if training.saves else ""
        reason = training.agreed(asked or self._out_of_patience(training))
        if not reason or training.current_epoch == training.num_epochs:
            return
        training.ended = reason
        if reason != STOP:
            training.print_to_log_file(f"The training ends after this epoch: {reason}.")
            training.progress.log(_sentence(training, reason))
            training.num_epochs = training.current_epoch

    def _out_of_patience(self, training: Training) -> str:
        patience = training.run.train.patience
        if patience is None:
            return ""
        began = training.lr_scheduler.stages[-1].first
        values = smoothed(training.logger.get_value("mean_fg_dice", step=None))
        return PATIENCE if epochs_without_rise(values, began) >= patience else ""


def smoothed(values: Sequence[float]) -> list[float]:
    """Return nnU-Net's moving average; a value that is not a number leaves it as it is.

    nnU-Net's own is lost for good after an epoch whose patches held no foreground.
    """
    found: list[float] = []
    average = math.nan
    for value in values:
        if not math.isnan(value):
            average = value if math.isnan(average) else KEPT * average + (1 - KEPT) * value
        found.append(average)
    return found


def epochs_without_rise(values: Sequence[float], began: int) -> int:
    """Return for how many epochs the best value so far has not been surpassed.

    Args:
        values: of all epochs; one that is not a number is no rise.
        began: the first epoch that counts, from 0.
    """
    best, since = -math.inf, began
    for epoch, value in enumerate(values):
        if value > best:
            best, since = value, epoch + 1
    return len(values) - max(since, began)


def _take_files(training: Training) -> str:
    """Return what a file in the fold's folder asks for, and remove it."""
    found = ""
    for name in ASKED_BY_FILE:
        file = training.fold_folder.path / name
        if file.is_file():
            file.unlink(missing_ok=True)
            found = name
    return found


def _sentence(training: Training, reason: str) -> str:
    epochs = f"after epoch {training.current_epoch} of {training.num_epochs}"
    if reason == FINISH:
        return f"The training ends {epochs}: the file '{FINISH}' asks for it."
    return (
        f"The training ends {epochs}: the smoothed Dice has not risen for "
        f"{counted(training.run.train.patience or 0, 'epoch')} (train.patience)."
    )


CALLBACK = Ending
