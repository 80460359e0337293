"""What happens in a training, and who is told of it.

A callback is one class with a method per event; the files of `training/callbacks/` are found by
being there. `CallbackTrainer` maps nnU-Net's methods to the events.
"""

from collections.abc import Iterable, Iterator
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

from nnunet_vit.checkpoints.fold_folder import FoldFolder
from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.report.progress import Progress

if TYPE_CHECKING:
    from torch import device
    from torch.optim import Optimizer

    from nnunet_vit.files.array_type import Array
    from nnunet_vit.modeling.head import Head
    from nnunet_vit.modeling.network import ViTSegmentationNetwork
    from nnunet_vit.training.optimization import WarmupSchedule
    from nnunet_vit.training.step_clock import StepClock

Kind = TypeVar("Kind", bound="TrainingCallback")


class Training(Protocol):
    """A training as callbacks see it: nnU-Net's trainer, by the names that it has there.

    Attributes:
        run: what is trained.
        head: the run's.
        fold: its number, or "all".
        seed: of all random numbers.
        progress: where people are told.
        clock: of the training steps.
        device: that the network computes on.
        current_epoch: how many epochs are done; within an epoch, its number counted from 0.
        logger: nnU-Net's, of all epochs' figures.
        ended: why the training ends before its last epoch, "patience" or "finish"; "stop": it is
            stopped after this epoch, to be resumed; empty: it does not.
        best_average: the best so far of nnU-Net's moving average of the Dice; None: none yet.
        callbacks: all that are told of it.
        augmented_on: where its patches are: cpu (in workers) or gpu (with the network); empty: that
            is not decided yet.
        saves: whether this process writes checkpoints.
        base_record: what the checkpoints leave out and where it came from.
        data_digests: what the training depends on beside the run.
    """

    run: ViTnnUNetConfig
    head: "Head"
    callbacks: "Callbacks"
    fold: int | str
    seed: int
    progress: Progress
    clock: "StepClock"
    device: "device"
    current_epoch: int
    num_epochs: int
    num_iterations_per_epoch: int
    num_val_iterations_per_epoch: int
    optimizer: "Optimizer"
    lr_scheduler: "WarmupSchedule"
    logger: Any
    dataset_json: JsonObject
    plans_name: str
    ended: str
    best_average: float | None
    inference_allowed_mirroring_axes: tuple[int, ...] | None
    augmented_on: str
    saves: bool
    base_record: JsonObject
    data_digests: dict[str, str]

    @property
    def compiled(self) -> str:
        """What of the network is compiled: off, blocks or whole."""

    @property
    def fold_folder(self) -> FoldFolder:
        """Where the fold's checkpoints and the finished model are."""

    @property
    def bare_network(self) -> "ViTSegmentationNetwork":
        """The network without DDP and torch.compile around it."""

    def print_to_log_file(self, *words: str) -> None:
        """Write a line into nnU-Net's log."""

    def do_split(self) -> tuple[list[str], list[str]]:
        """Return the fold's training and validation cases."""

    def drawn_case(self, case: str) -> "Array":
        """Return the picture of a case with what the network predicts now, (H, W, 3) uint8."""

    def agreed(self, word: str) -> str:
        """Return what the first of all processes says: they end together."""


class TrainingCallback:
    """Is told what happens in a training; a method that is not overridden does nothing.

    Attributes:
        order: callbacks with a smaller one are told first; by itself after an epoch is saved and
            shown. The end of a validation is told the other way round, as brackets close.
    """

    order: ClassVar[int] = 100

    def on_network_built(self, training: Training) -> None:
        """Network, optimizer and loss are there, with their weights from before the training."""

    def on_training_start(self, training: Training) -> None:
        """The data loaders are made, and what is resumed from is taken; the first epoch comes."""

    def on_epoch_start(self, training: Training) -> None:
        """An epoch begins."""

    def on_step_start(self, training: Training) -> None:
        """The batch is there; its learning rates are set."""

    def on_step_end(self, training: Training, loss: float) -> None:
        """The weights have moved.

        Args:
            training: whose step it is.
            loss: of the step; on a GPU, which nothing waits for, the newest that has arrived.
        """

    def on_validation_start(self, training: Training) -> None:
        """The validation of an epoch, or that of the fold after the last one, begins."""

    def on_validation_step_end(self, training: Training) -> None:
        """A batch of an epoch's validation is done."""

    def on_validation_end(self, training: Training) -> None:
        """The validation is over, or was ended by an error."""

    def on_epoch_end(self, training: Training) -> None:
        """An epoch is done and counted, its figures are logged."""

    def on_training_end(self, training: Training) -> None:
        """All epochs are done and saved."""

    def on_exception(self, training: Training, error: BaseException) -> None:
        """An error ends the training; it is raised again."""

    def on_log(self, training: Training, text: str) -> None:
        """nnU-Net writes a line into its log; this begins before there is a network."""


class Callbacks:
    """The callbacks of one training, in the order in which they are told."""

    def __init__(self, callbacks: Iterable[TrainingCallback] = ()) -> None:
        """Sort them."""
        self._all = sorted(callbacks, key=attrgetter("order"))

    def __iter__(self) -> Iterator[TrainingCallback]:
        return iter(self._all)

    def of(self, kind: type[Kind]) -> Kind:
        """Return the one of that class."""
        (callback,) = (each for each in self._all if isinstance(each, kind))
        return callback
