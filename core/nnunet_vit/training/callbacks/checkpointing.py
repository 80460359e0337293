"""Leaves a training on disk: a checkpoint at the end of an epoch, never within one."""

from nnunet_vit.checkpoints.fold_folder import BEST_FILE
from nnunet_vit.checkpoints.random_state import restore_random_state
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.training.callback import Training, TrainingCallback
from nnunet_vit.training.checkpoint_content import checkpoint_of


class Checkpointing(TrainingCallback):
    """Saves what nnU-Net asks for within an epoch once, at its end; the last epoch in any case.

    Attributes:
        random_state: of the checkpoint that is resumed from; None: the training starts.
    """

    order = 80
    random_state: JsonObject | None = None

    def __init__(self) -> None:
        """Nothing is asked for yet."""
        self._requested: set[str] = set()

    def request(self, file_name: str) -> None:
        """Note that nnU-Net wants a checkpoint under that name of its own."""
        self._requested.add(file_name)

    def on_training_start(self, training: Training) -> None:
        """Continue the random numbers where the checkpoint left them: the loaders used some."""
        if self.random_state is not None:
            restore_random_state(self.random_state)
            self.random_state = None

    def on_epoch_end(self, training: Training) -> None:
        """Save the epoch, if it is the last one or was asked for."""
        is_last = training.current_epoch == training.num_epochs or bool(training.ended)
        if training.saves and (self._requested or is_last):
            is_best = BEST_FILE in self._requested
            training.fold_folder.store.save(checkpoint_of(training), best=is_best)
        self._requested.clear()


CALLBACK = Checkpointing
