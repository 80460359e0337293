"""nnU-Net's trainer, each of whose methods tells the callbacks what happens."""

from functools import cached_property
from pathlib import Path

from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer
from torch import distributed, nn
from torch._dynamo import OptimizedModule

from nnunet_vit.checkpoints.fold_folder import FoldFolder
from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.data.preprocessing.preprocessed import DataFolder
from nnunet_vit.errors import message_of
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.modeling.head import Head
from nnunet_vit.modeling.network import ViTSegmentationNetwork
from nnunet_vit.modeling.runtime.compile_switch import WHOLE, compiled_part
from nnunet_vit.report.progress import Progress
from nnunet_vit.training.callback import Callbacks, TrainingCallback
from nnunet_vit.training.callbacks.ending import STOP
from nnunet_vit.training.checkpoint_content import record_of_base
from nnunet_vit.training.data_digests import data_digests


class _EndOfTrainingError(Exception):
    """Leaves nnU-Net's loop over the epochs."""


class CallbackTrainer(nnUNetTrainer):  # type: ignore[misc]
    """The `Training` that callbacks see; what it computes is nnU-Net's."""

    run: ViTnnUNetConfig
    head: Head
    seed: int
    progress = Progress()
    callbacks = Callbacks()  # until the trainer is made
    ended = ""
    augmented_on = ""
    _validates = False

    @cached_property
    def fold_folder(self) -> FoldFolder:
        """Where the fold's checkpoints and the finished model are."""
        return FoldFolder(Path(self.output_folder))

    @cached_property
    def base_record(self) -> JsonObject:
        """What the checkpoints leave out and where it came from."""
        return record_of_base(self.run, self.bare_network)

    @cached_property
    def data_digests(self) -> dict[str, str]:
        """What the training depends on beside the run."""
        manager = self.configuration_manager
        data = DataFolder(Path(self.preprocessed_dataset_folder_base), manager.data_identifier)
        plans = self.plans_manager.plans
        return data_digests(data, plans, manager.configuration, split=self.do_split())

    @property
    def plans_name(self) -> str:
        """The name of the run's plans; it holds a digest of run and configuration."""
        name: str = self.plans_manager.plans_name
        return name

    @property
    def best_average(self) -> float | None:
        """The best so far of nnU-Net's moving average of the Dice."""
        best: float | None = self._best_ema
        return best

    @best_average.setter
    def best_average(self, value: float | None) -> None:
        self._best_ema = value

    @property
    def saves(self) -> bool:
        """Whether this process writes checkpoints."""
        return self.local_rank == 0 and not self.disable_checkpointing

    @property
    def bare_network(self) -> ViTSegmentationNetwork:
        """The network without DDP and torch.compile around it."""
        network: nn.Module = self.network.module if self.is_ddp else self.network
        bare = network._orig_mod if isinstance(network, OptimizedModule) else network
        assert isinstance(bare, ViTSegmentationNetwork)
        return bare

    def initialize(self) -> None:
        """Build network, optimizer and loss as nnU-Net does."""
        super().initialize()
        for callback in self.callbacks:
            callback.on_network_built(self)

    def on_train_start(self) -> None:
        """Start as nnU-Net does."""
        super().on_train_start()
        for callback in self.callbacks:
            callback.on_training_start(self)

    def on_train_epoch_start(self) -> None:
        """Start an epoch as nnU-Net does."""
        super().on_train_epoch_start()
        for callback in self.callbacks:
            callback.on_epoch_start(self)

    def on_validation_epoch_start(self) -> None:
        """Start an epoch's validation as nnU-Net does."""
        super().on_validation_epoch_start()
        self._start_validation()

    def validation_step(self, batch: JsonObject) -> JsonObject:
        """Do nnU-Net's validation step."""
        outcome: JsonObject = super().validation_step(batch)
        for callback in self.callbacks:
            callback.on_validation_step_end(self)
        return outcome

    def on_validation_epoch_end(self, val_outputs: list[JsonObject]) -> None:
        """Log an epoch's validation as nnU-Net does."""
        super().on_validation_epoch_end(val_outputs)
        self._end_validation()

    def on_epoch_end(self) -> None:
        """Close an epoch as nnU-Net does; it asks for checkpoints and counts the epoch."""
        super().on_epoch_end()
        for callback in self.callbacks:
            callback.on_epoch_end(self)
        if self.ended == STOP:
            raise KeyboardInterrupt  # what is saved is said as for Ctrl-C
        if self.ended:
            raise _EndOfTrainingError

    def on_train_end(self) -> None:
        """End as nnU-Net does, which writes the finished model."""
        super().on_train_end()
        for callback in self.callbacks:
            callback.on_training_end(self)

    def run_training(self) -> None:
        """Train as nnU-Net does, or until a callback ends it."""
        try:
            try:
                super().run_training()
            except _EndOfTrainingError:
                self.on_train_end()
        except BaseException as error:
            if self._validates:
                self._end_validation()
            for callback in self.callbacks:
                self._tell_of(error, callback)
            raise

    def perform_actual_validation(self, save_probabilities: bool = False) -> None:
        """Validate the fold's cases with sliding window, as nnU-Net does."""
        try:
            self._start_validation()
            super().perform_actual_validation(save_probabilities)
        finally:
            self._end_validation()

    def _start_validation(self) -> None:
        self._validates = True
        for callback in self.callbacks:
            callback.on_validation_start(self)

    def _end_validation(self) -> None:
        self._validates = False
        for callback in reversed(list(self.callbacks)):
            callback.on_validation_end(self)

    def _tell_of(self, error: BaseException, callback: TrainingCallback) -> None:
        try:
            callback.on_exception(self, error)
        except Exception as another:  # the first error is the one that people need
            self.print_to_log_file(f"{type(callback).__name__}: {message_of(another)}")

    def print_to_log_file(self, *args: object, **options: object) -> None:
        """Log as nnU-Net does."""
        super().print_to_log_file(*args, **options)
        text = " ".join(map(str, args))
        for callback in self.callbacks:
            callback.on_log(self, text)

    def agreed(self, word: str) -> str:
        """Return what the first of all processes says: they end together."""
        words = [word]
        if self.is_ddp:
            distributed.broadcast_object_list(words, src=0, device=self.device)
        return words[0]

    def _do_i_compile(self) -> bool:
        # of the whole network; compiled steps of a ViT took 3 s where plain ones take 0.1 s
        # (docs/benchmarks.md), so somebody has to ask for it
        return self.compiled == WHOLE

    @cached_property
    def compiled(self) -> str:
        """What is compiled: off, blocks or whole."""
        steps = self.num_epochs * self.num_iterations_per_epoch
        return compiled_part(self.run.train.compile, self.device.type, steps)

    def plot_network_architecture(self) -> None:
        """Plot nothing: nnU-Net's plot needs a package that no longer works."""
