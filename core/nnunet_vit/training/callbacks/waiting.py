"""Says once what helps a training that waits for its batches."""

from collections.abc import Iterator

from nnunet_vit.errors import counted
from nnunet_vit.files.processors import usable_processors
from nnunet_vit.training.callback import Training, TrainingCallback
from nnunet_vit.training.callbacks.epoch_figures import EpochMeasuring
from nnunet_vit.training.worker_memory import WORKERS, allowed_workers

MUCH = 0.1  # of the time of the steps
AUGMENTATION = "augmentation_device"


class Waiting(TrainingCallback):
    """Looks at the epochs after the first one, in which workers start."""

    order = 92  # after the epoch's line
    _epochs = 0
    _told = False

    def on_epoch_end(self, training: Training) -> None:
        """Tell of the first epoch that waits much."""
        self._epochs += 1
        share = training.callbacks.of(EpochMeasuring).figures.seconds.training.waiting
        if self._told or self._epochs == 1 or share <= MUCH:
            return
        self._told = True
        given = training.run.train.model_dump().get(AUGMENTATION)
        line = what_helps(share, training.device.type, augmented_on=given)
        training.print_to_log_file(line)
        training.progress.log(line)


def what_helps(share: float, device: str, *, augmented_on: str | None) -> str:
    """Return the line on a training that waits.

    Args:
        share: of the steps' time that they wait, 0 to 1.
        device: that the network computes on: cuda, cpu or mps.
        augmented_on: the value of train.augmentation_device; None: there is no such key.
    """
    workers, cores = allowed_workers(), usable_processors()
    helps = "; else ".join(_remedies(workers, cores, device, augmented_on=augmented_on))
    makers = f"{counted(workers, 'worker')} on {counted(cores, 'core')}"
    makers = makers if workers else "the training's own process"
    lead = f"Training steps wait {share:.0%} of their time for batches of {makers}"
    return f"{lead}. What helps: {helps}."


def _remedies(workers: int, cores: int, device: str, *, augmented_on: str | None) -> Iterator[str]:
    if workers < cores:
        yield f"more workers ({WORKERS}={cores})"
    if device == "cpu":
        yield "a GPU or more cores: the network computes on the same ones"
        return
    if augmented_on in ("cpu", "auto") and device == "cuda":
        yield f"train.{AUGMENTATION}: gpu, which takes work off the cores"
    yield "more cores, or a faster disk where the cores are not busy"


CALLBACK = Waiting
