"""The part of the trainer that tells people what happens; stock nnU-Net shows nothing of it."""

from typing import Any

from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

from nnunet_vit.nnunet.dataset import class_names
from nnunet_vit.report.progress import Progress


class ReportingTrainer(nnUNetTrainer):  # type: ignore[misc]
    """nnU-Net's trainer that shows its progress."""

    progress = Progress()

    def on_train_epoch_start(self) -> None:
        """Start the epoch's progress and its learning rate."""
        super().on_train_epoch_start()
        steps = self.num_iterations_per_epoch + self.num_val_iterations_per_epoch
        self.progress.start_epoch(self.current_epoch, self.num_epochs, steps)

    def validation_step(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Do nnU-Net's validation step and show it."""
        outcome: dict[str, Any] = super().validation_step(batch)
        self.progress.advance()
        return outcome

    def report_epoch(self, epoch: int) -> None:
        """Show the figures of an epoch that has just ended."""
        dice = [float(value) for value in self._last("dice_per_class_or_region")]
        self.progress.end_epoch(
            epoch,
            self.num_epochs,
            training_loss=float(self._last("train_losses")),
            validation_loss=float(self._last("val_losses")),
            dice=dict(zip(class_names(self.dataset_json), dice, strict=True)),
            rate=float(self._last("lrs")),
        )

    def _last(self, key: str) -> Any:  # noqa: ANN401 - a number, or one per class
        return self.logger.get_value(key, step=-1)

    def print_to_log_file(self, *args: Any, **options: Any) -> None:  # noqa: ANN401
        """Log as nnU-Net does; its line per validation case is the only sign of that progress."""
        super().print_to_log_file(*args, **options)
        if args and str(args[0]).startswith("predicting "):
            self.progress.case(str(args[0]).removeprefix("predicting "))

    def plot_network_architecture(self) -> None:
        """Plot nothing: nnU-Net's plot needs a package that no longer works."""
