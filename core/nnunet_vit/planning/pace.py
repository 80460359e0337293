"""How fast a planned run trains on this machine, from what a short probe has measured."""

from dataclasses import dataclass

# seconds from the command to the first step of preprocessed data, and from the last one to the end
# beside the final validation's cases: 17 to 27 on two cores that had other work
START = 30.0
CASE = 0.3  # seconds of a validation case beside its network: read, written and compared


@dataclass(frozen=True)
class Turn:
    """A step of the network and the batch that it needs, which are made at the same time.

    Attributes:
        network: seconds that the network takes.
        batch: seconds that one processor takes to read and augment the batch.
        workers: processes that make batches; 0: the training's own.
        processors: of this machine.
        shared: whether the network computes on the processors of the workers.
    """

    network: float
    batch: float
    workers: int
    processors: int
    shared: bool

    @property
    def made(self) -> float:
        """Seconds from one batch to the next as the workers make them."""
        return self.batch / min(self.workers or 1, self.processors)

    @property
    def seconds(self) -> float:
        """Seconds of a step: of the slower one, or of both where they wait for each other."""
        if not self.workers:
            return self.network + self.batch
        own = self.batch / self.processors if self.shared else 0.0
        return max(self.network + own, self.made)

    @property
    def bound_by_data(self) -> bool:
        """Whether the network waits for batches."""
        return self.workers > 0 and self.made >= self.seconds


@dataclass(frozen=True)
class Pace:
    """What a probe has measured.

    Attributes:
        training: a training step.
        validation: a validation step.
        saving: seconds that a checkpoint takes.
        tiles: seconds of the network for the tiles of the final validation.
        cases: of the final validation.
        steps: training steps that were done.
        peak: bytes that were allocated at most; None: the device does not say.
        drawing: seconds that nnU-Net's picture of the curves takes, after each epoch.
    """

    training: Turn
    validation: Turn
    saving: float
    tiles: float
    cases: int
    steps: int
    peak: int | None
    drawing: float = 0.0

    def epoch(self, iterations: int, validations: int) -> float:
        """Return the seconds of an epoch of that many steps, with its checkpoint and picture."""
        steps = iterations * self.training.seconds + validations * self.validation.seconds
        return steps + self.saving + self.drawing

    @property
    def around(self) -> float:
        """Seconds before the first step and after the last one, the final validation included."""
        return START + self.tiles + CASE * self.cases


@dataclass(frozen=True)
class Probed:
    """What came of a probe.

    Attributes:
        pace: None: the step did not fit in the device's memory.
        peak: bytes that were allocated at most; None: the device does not say.
    """

    pace: Pace | None
    peak: int | None
