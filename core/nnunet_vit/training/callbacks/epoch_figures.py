"""What an epoch came to: nnU-Net's figures, the highest rate, and where the time went."""

import time
from typing import Any

from nnunet_vit.checkpoints.history_file import DICE_OF, FIGURES, PHASES, RATE, SECONDS
from nnunet_vit.data.dataset import class_names
from nnunet_vit.report.progress import EpochFigures, EpochSeconds
from nnunet_vit.report.step_seconds import StepSeconds
from nnunet_vit.training.callback import Training, TrainingCallback


class EpochMeasuring(TrainingCallback):
    """Measures epochs for those that show and keep them.

    Attributes:
        figures: of the epoch that was done last.
    """

    order = 85  # what others do in a step belongs to the step, saving an epoch to the epoch
    figures: EpochFigures
    _highest_rate = 0.0  # of all groups

    def __init__(self) -> None:
        """Nothing has begun."""
        self._began = self._validation_began = time.monotonic()
        self._validation = 0.0  # seconds
        self._steps = StepSeconds()

    def on_epoch_start(self, training: Training) -> None:
        """Start the epoch's clocks."""
        self._began = time.monotonic()
        self._validation = self._highest_rate = 0.0
        training.clock.start()

    def on_step_start(self, training: Training) -> None:
        """Take note of the rates that the step uses."""
        rates = [float(group["lr"]) for group in training.optimizer.param_groups]
        self._highest_rate = max([self._highest_rate, *rates])

    def on_validation_start(self, training: Training) -> None:
        """Read the clock of the steps, which are done, and begin the validation."""
        self._steps = training.clock.read()
        self._validation_began = time.monotonic()

    def on_validation_end(self, training: Training) -> None:
        """End the validation."""
        self._validation += time.monotonic() - self._validation_began

    def on_epoch_end(self, training: Training) -> None:
        """Put the epoch's figures together."""
        dice = [float(value) for value in _last(training, "dice_per_class_or_region")]
        whole = time.monotonic() - self._began
        self.figures = EpochFigures(
            training_loss=float(_last(training, "train_losses")),
            validation_loss=float(_last(training, "val_losses")),
            dice=dict(zip(class_names(training.dataset_json), dice, strict=True)),
            mean_dice=float(_last(training, "mean_fg_dice")),
            smoothed_dice=float(_last(training, "ema_fg_dice")),
            rate=self._highest_rate,
            seconds=EpochSeconds(whole, self._steps, self._validation),
        )
        training.print_to_log_file(f"Time of a training {self._steps.as_text()}")


def by_column(figures: EpochFigures) -> dict[str, float]:
    """Return figures by the columns of history.csv."""
    seconds = figures.seconds
    losses = (figures.training_loss, figures.validation_loss)
    training = seconds.training
    parts = (seconds.whole, training.wait, training.computing, seconds.validation)
    phases = (training.transfer, training.forward, training.backward, training.optimizer)
    return {
        **dict(zip(FIGURES, (*losses, figures.mean_dice, figures.smoothed_dice), strict=True)),
        **{f"{DICE_OF}{name}": dice for name, dice in figures.dice.items()},
        RATE: figures.rate,
        **dict(zip(SECONDS, parts, strict=True)),
        **dict(zip(PHASES, phases, strict=True)),
    }


def _last(training: Training, key: str) -> Any:  # noqa: ANN401 - a number, or one per class
    return training.logger.get_value(key, step=-1)


CALLBACK = EpochMeasuring
