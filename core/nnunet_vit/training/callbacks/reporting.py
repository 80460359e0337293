"""Tells people what happens in a training; stock nnU-Net shows nothing of it."""

import re

from nnunet_vit.training.callback import Training, TrainingCallback
from nnunet_vit.training.callbacks.epoch_figures import EpochMeasuring

WARNING = re.compile(r"\s*WARNING(?:[:!]\s*|\s+)", re.IGNORECASE)


class Reporting(TrainingCallback):
    """Shows the steps, the figures of each epoch, and nnU-Net's warnings."""

    order = 90  # after an epoch is saved

    def on_network_built(self, training: Training) -> None:
        """Tell what the pretrained weights brought, if the network has read any."""
        coverage = training.bare_network.coverage
        if coverage is not None:
            training.print_to_log_file(f"Weights: {coverage.summary()}")
            for sentence in coverage.grid:
                training.progress.log(f"Weights: {sentence}.")

    def on_epoch_start(self, training: Training) -> None:
        """Start the epoch's progress."""
        steps = training.num_iterations_per_epoch + training.num_val_iterations_per_epoch
        training.progress.start_epoch(training.current_epoch, training.num_epochs, steps)

    def on_step_end(self, training: Training, loss: float) -> None:
        """Show the step and its loss."""
        training.progress.advance(loss=loss)

    def on_validation_step_end(self, training: Training) -> None:
        """Show the step."""
        training.progress.advance()

    def on_epoch_end(self, training: Training) -> None:
        """Show the epoch's figures."""
        figures = training.callbacks.of(EpochMeasuring).figures
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


CALLBACK = Reporting
