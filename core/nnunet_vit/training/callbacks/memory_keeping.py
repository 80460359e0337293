"""Training steps on a CPU reuse the memory of the steps before."""

from nnunet_vit.modeling.runtime.cpu_training.kept_memory import (
    give_back_memory,
    keep_freed_memory,
)
from nnunet_vit.training.callback import Training, TrainingCallback


class MemoryKeeping(TrainingCallback):
    """Keeps freed memory from the first step to the last; the workers are there by then."""

    def on_training_start(self, training: Training) -> None:
        """Begin."""
        if training.device.type == "cpu":
            keep_freed_memory()

    def on_training_end(self, training: Training) -> None:
        """End: what follows has other shapes."""
        if training.device.type == "cpu":
            give_back_memory()

    def on_exception(self, training: Training, error: BaseException) -> None:
        """End likewise: a process may train another fold."""
        self.on_training_end(training)


CALLBACK = MemoryKeeping
