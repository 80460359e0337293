"""Compiles the ViT's blocks for training steps, and says what that took and brought."""

from time import perf_counter

from nnunet_vit.modeling.runtime.compile_switch import BLOCKS
from nnunet_vit.modeling.runtime.compiled_blocks import CompiledBlocks
from nnunet_vit.training.callback import Training, TrainingCallback

SETTLED = 3  # steps: the first compiles, the second may do so once more


class BlockCompiling(TrainingCallback):
    """Compiled blocks are in force in training steps alone: validation has other shapes."""

    order = 5  # before others look at a step's start
    _blocks: CompiledBlocks | None = None
    _steps = 0
    _first = _began = 0.0  # seconds

    def on_training_start(self, training: Training) -> None:
        """Prepare the blocks if the run wants it."""
        if training.compiled == BLOCKS:
            unasked = training.run.train.compile == "auto"
            self._blocks = CompiledBlocks(training.bare_network, forgiving=unasked)

    def on_step_start(self, training: Training) -> None:
        """Take the time."""
        self._began = perf_counter()

    def on_step_end(self, training: Training, loss: float) -> None:
        """Say once what compiling took: the first step beside a later one."""
        if self._blocks is None or self._steps >= SETTLED:
            return
        self._steps += 1
        seconds = perf_counter() - self._began
        if self._steps == 1:
            self._first = seconds
        if self._steps == SETTLED:
            said = f"Compiled {len(self._blocks)} blocks of the ViT: the first step took "
            training.print_to_log_file(
                f"{said}{self._first:.1f} s, others take {seconds:.3f} s (train.compile: off "
                "leaves it out)."
            )

    def on_validation_start(self, training: Training) -> None:
        """Let validation compute plain."""
        if self._blocks is not None:
            self._blocks.pause()

    def on_validation_end(self, training: Training) -> None:
        """Compute compiled again."""
        if self._blocks is not None:
            self._blocks.proceed()


CALLBACK = BlockCompiling
