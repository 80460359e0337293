"""Keeps the figures of every epoch in history.csv, for pictures and reports."""

from datetime import datetime, timezone
from typing import Any

from nnunet_vit.checkpoints.history_file import (
    DICE_OF,
    FIGURES,
    RATE,
    read_history,
    write_history,
)
from nnunet_vit.data.dataset import class_names
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.training.callback import Training, TrainingCallback
from nnunet_vit.training.callbacks.epoch_figures import EpochMeasuring, by_column

LOGGED = dict(
    zip(FIGURES, ("train_losses", "val_losses", "mean_fg_dice", "ema_fg_dice"), strict=True)
)


class History(TrainingCallback):
    """Writes the whole file after each epoch: what a resumed training repeats is in it once.

    nnU-Net's logger goes through the checkpoints and knows the figures of all epochs; what it does
    not know, the highest rate and where the time went, stays as it was written.
    """

    order = 95  # after an epoch is saved and shown

    def on_epoch_end(self, training: Training) -> None:
        """Write the rows of all epochs."""
        if not training.saves:
            return
        folder, epoch = training.fold_folder.path, training.current_epoch
        before = {int(row["epoch"]): row for row in read_history(folder)}
        rows = [{**_known(training, done), **before.get(done, {})} for done in range(1, epoch)]
        measured = by_column(training.callbacks.of(EpochMeasuring).figures)
        planned = training.lr_scheduler.stages[-1].end
        last = {**_known(training, epoch), **measured, "num_epochs": planned}
        try:
            write_history(folder, class_names(training.dataset_json), [*rows, last])
        except OSError as error:  # it is for people: the training needs none of it
            training.progress.warn(f"history.csv is not written: {error.strerror or error}.")


def _known(training: Training, epoch: int) -> JsonObject:
    """Return what is known of an epoch, which is counted from 1, beside what was measured in it."""
    try:
        return _logged(training, epoch)
    except IndexError:  # an earlier version's checkpoint may hold fewer
        return {"epoch": epoch}


def _logged(training: Training, epoch: int) -> JsonObject:
    def value(key: str) -> Any:  # noqa: ANN401 - a number, or one per class
        return training.logger.get_value(key, step=epoch - 1)

    dice = zip(class_names(training.dataset_json), value("dice_per_class_or_region"), strict=True)
    end = datetime.fromtimestamp(float(value("epoch_end_timestamps")), timezone.utc)
    return {
        "epoch": epoch,
        **{name: float(value(key)) for name, key in LOGGED.items()},
        **{f"{DICE_OF}{name}": float(each) for name, each in dice},
        RATE: float(value("lrs")),
        "finished": end.isoformat(timespec="seconds"),
    }


CALLBACK = History
