"""The part of the trainer that tells people what happens; stock nnU-Net shows nothing of it."""

import re
from typing import Any

from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

from nnunet_vit.data.dataset import class_names
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.report.progress import EpochFigures, Progress

WARNING = re.compile(r"\s*WARNING(?:[:!]\s*|\s+)", re.IGNORECASE)


class ReportingTrainer(nnUNetTrainer):  # type: ignore[misc]
    """nnU-Net's trainer that shows its progress."""

    progress = Progress()
    _highest_rate = 0.0  # of all groups, in this epoch

    def on_train_epoch_start(self) -> None:
        """Start the epoch's progress and its learning rate."""
        super().on_train_epoch_start()
        self._highest_rate = 0.0
        steps = self.num_iterations_per_epoch + self.num_val_iterations_per_epoch
        self.progress.start_epoch(self.current_epoch, self.num_epochs, steps)

    def validation_step(self, batch: JsonObject) -> JsonObject:
        """Do nnU-Net's validation step and show it."""
        outcome: JsonObject = super().validation_step(batch)
        self.progress.advance()
        return outcome

    def report_epoch(self, epoch: int) -> None:
        """Show the figures of an epoch that has just ended."""
        dice = [float(value) for value in self._last("dice_per_class_or_region")]
        figures = EpochFigures(
            training_loss=float(self._last("train_losses")),
            validation_loss=float(self._last("val_losses")),
            dice=dict(zip(class_names(self.dataset_json), dice, strict=True)),
            rate=self._highest_rate,
        )
        self.progress.end_epoch(epoch, self.num_epochs, figures)

    def _last(self, key: str) -> Any:  # noqa: ANN401 - a number, or one per class
        return self.logger.get_value(key, step=-1)

    def note_rate(self) -> None:
        """Take note of the rates that the next step uses: the epoch's highest is reported."""
        rates = [float(group["lr"]) for group in self.optimizer.param_groups]
        self._highest_rate = max([self._highest_rate, *rates])

    def print_to_log_file(self, *args: Any, **options: Any) -> None:  # noqa: ANN401
        """Log as nnU-Net does, and show its warnings.

        Its line per validation case is the only sign of that progress.
        """
        super().print_to_log_file(*args, **options)
        text = " ".join(map(str, args))
        if text.startswith("predicting "):
            self.progress.case(text.removeprefix("predicting "))
        elif WARNING.match(text):
            self.progress.warn(" ".join(WARNING.sub("", text, count=1).split()))

    def plot_network_architecture(self) -> None:
        """Plot nothing: nnU-Net's plot needs a package that no longer works."""
