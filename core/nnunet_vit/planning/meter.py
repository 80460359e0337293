"""Memory of training steps, measured once each."""

from collections.abc import Callable
from dataclasses import dataclass, field

from nnunet_vit.data.dataset import Dataset
from nnunet_vit.data.input_normalization import input_statistics
from nnunet_vit.errors import ConfigError, UserError, first_line
from nnunet_vit.planning.open_keys import BATCH, CHECKPOINTING, PATCH, Variant
from nnunet_vit.profiling.assumptions import Tile
from nnunet_vit.profiling.cost import StepCost
from nnunet_vit.profiling.measured_run import Measured, cost_of, facts_of, network_of
from nnunet_vit.profiling.memory import estimated_memory
from nnunet_vit.profiling.parts import parts_of

Key = tuple[str, str, Tile, bool]


class UnmeasurableError(ConfigError):
    """The step of a head looks at values, which tensors without memory lack."""


@dataclass(frozen=True)
class Step:
    """A training step, measured.

    Attributes:
        tile: what it is fed with.
        memory: bytes by part.
        cost: of the step.
    """

    tile: Tile
    memory: dict[str, int]
    cost: StepCost

    @property
    def total(self) -> int:
        """Bytes in all."""
        return sum(self.memory.values())


@dataclass
class Meter:
    """Measures steps of runs on one dataset and one kind of device, each once.

    Attributes:
        dataset: there or assumed.
        schemes: nnU-Net's normalization of each channel.
        device: cuda, cpu or mps.
        told: is called after each measurement.
    """

    dataset: Dataset
    schemes: list[str]
    device: str
    told: Callable[[], None] = lambda: None
    steps: dict[Key, Step] = field(default_factory=dict)

    def step(self, variant: Variant, tile: Tile, checkpointing: bool) -> Step:
        """Return the cost of a step.

        Raises:
            UnmeasurableError: the step of this head cannot be measured.
            ConfigError: checkpointing is not possible.
            UserError: the network cannot be built.
        """
        run = variant.run  # planned and hurried runs share a meter: the network decides
        key = (run.model.model_dump_json(), run.lora.model_dump_json(), tile, checkpointing)
        if key not in self.steps:
            self.steps[key] = self._measure(variant, tile, checkpointing)
            self.told()
        return self.steps[key]

    def vit_patch(self, variant: Variant) -> int:
        """Return the edge of the ViT's patches, pixels."""
        return facts_of(variant.run).patch_size

    def measured(self, variant: Variant, tile: Tile, checkpointing: bool) -> Measured:
        """Return what a step with these values is a step of."""
        run = variant.with_training(
            patch_size=list(tile.size), batch_size=tile.batch, gradient_checkpointing=checkpointing
        )
        statistics = input_statistics(
            self.dataset, run, facts_of(run), schemes=self.schemes, fetch=False
        )
        return Measured(run, self.dataset, statistics.per_channel, self.device)

    def _measure(self, variant: Variant, tile: Tile, checkpointing: bool) -> Step:
        measured = self.measured(variant, tile, checkpointing)
        run = measured.run
        network = network_of(measured, tile.size)
        parts = parts_of(network)
        try:
            cost = cost_of(network, measured, tile)
        except UserError:
            raise
        except Exception as error:  # a head may look at values, which tensors without memory lack
            raise UnmeasurableError(
                f"The memory of {run.model.head_name or run.model.model_path} cannot be measured "
                f"without running it: {type(error).__name__}: {first_line(error)}.",
                fix=f"give {PATCH}, {BATCH} and {CHECKPOINTING} yourself and train.",
            ) from error
        return Step(tile, estimated_memory(run.train, cost, parts), cost)
