"""Tells people what happens in a training; stock nnU-Net shows nothing of it."""

import re
from typing import Any

from nnunet_vit.data.dataset import class_names
from nnunet_vit.report.progress import EpochFigures
from nnunet_vit.training.callback import Training, TrainingCallback

WARNING = re.compile(r"\s*WARNING(?:[:!]\s*|\s+)", re.IGNORECASE)


class Reporting(TrainingCallback):
    """Shows the steps, the figures of each epoch, and nnU-Net's warnings."""

    order = 90  # after an epoch is saved
    _highest_rate = 0.0  # of all groups, in this epoch

    def on_network_built(self, training: Training) -> None:
        """Tell what the pretrained weights brought, if the network has read any."""
        coverage = training.bare_network.coverage
        if coverage is not None:
            training.print_to_log_file(f"Weights: {coverage.summary()}")
            for sentence in coverage.grid:
                training.progress.log(f"Weights: {sentence}.")

    def on_epoch_start(self, training: Training) -> None:
        """Start the epoch's progress and its learning rate."""
        self._highest_rate = 0.0
        steps = training.num_iterations_per_epoch + training.num_val_iterations_per_epoch
        training.progress.start_epoch(training.current_epoch, training.num_epochs, steps)

    def on_step_start(self, training: Training) -> None:
        """Take note of the rates that the step uses: the epoch's highest is reported."""
        rates = [float(group["lr"]) for group in training.optimizer.param_groups]
        self._highest_rate = max([self._highest_rate, *rates])

    def on_step_end(self, training: Training, loss: float) -> None:
        """Show the step and its loss."""
        training.progress.advance(loss=loss)

    def on_validation_step_end(self, training: Training) -> None:
        """Show the step."""
        training.progress.advance()

    def on_epoch_end(self, training: Training) -> None:
        """Show the epoch's figures."""
        dice = [float(value) for value in _last(training, "dice_per_class_or_region")]
        figures = EpochFigures(
            training_loss=float(_last(training, "train_losses")),
            validation_loss=float(_last(training, "val_losses")),
            dice=dict(zip(class_names(training.dataset_json), dice, strict=True)),
            rate=self._highest_rate,
        )
        training.progress.end_epoch(training.current_epoch - 1, training.num_epochs, figures)

    def on_exception(self, training: Training, error: BaseException) -> None:
        """Take the bars away before the error is shown."""
        training.progress.close()

    def on_log(self, training: Training, text: str) -> None:
        """Show nnU-Net's warnings, and its line per validation case: the only sign of progress."""
        if text.startswith("predicting "):
            training.progress.case(text.removeprefix("predicting "))
        elif WARNING.match(text):
            training.progress.warn(" ".join(WARNING.sub("", text, count=1).split()))


def _last(training: Training, key: str) -> Any:  # noqa: ANN401 - a number, or one per class
    return training.logger.get_value(key, step=-1)


CALLBACK = Reporting
