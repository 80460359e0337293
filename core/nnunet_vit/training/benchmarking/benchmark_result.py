"""What a benchmark of a run has found; plain numbers."""

from dataclasses import asdict, dataclass, field, replace
from typing import Any

from nnunet_vit.report.step_seconds import StepSeconds


@dataclass(frozen=True)
class SwitchedSteps:
    """The same steps with one key changed.

    Attributes:
        key: of the run file; empty: nothing is changed, which the others are compared with.
        value: that it was given.
        step_seconds: the mean of a step, its wait included; None: it was not measured.
        faster: how many times as fast as without the change; None likewise.
        memory: bytes at the peak; None: the device does not say.
        reason: why it was not measured.
    """

    key: str
    value: str
    step_seconds: float | None = None
    faster: float | None = None
    memory: int | None = None
    reason: str = ""

    def beside(self, usual: "SwitchedSteps") -> "SwitchedSteps":
        """Return it compared with the steps as they are."""
        if self.step_seconds is None or usual.step_seconds is None:
            return self
        return replace(self, faster=usual.step_seconds / self.step_seconds)


@dataclass(frozen=True)
class BenchmarkResult:
    """A run's training steps as they were timed.

    Attributes:
        head: its name or module.
        backbone: family and size.
        tuning: the method.
        dataset: whose images they were; an empty text where they were drawn.
        device: for torch.
        device_name: for people.
        precision: that the network computes in.
        workers: processes that made batches.
        image_size: (H, W) in pixels.
        batch_size: images per step.
        tokens: of an image, by the ViT's patch; None: the head brings another backbone.
        seconds: of the steps, by phase.
        operations: of a step, as `describe` says; None: it cannot measure the head.
        peak_rate: operations a second of a large matrix product in that precision.
        memory: bytes that the steps took at their peak; None: the system does not say.
        predicted_memory: by `describe`; None likewise.
        switches: what other values of some keys would bring.
        notes: what was assumed.
    """

    head: str
    backbone: str
    tuning: str
    dataset: str
    device: str
    device_name: str
    precision: str
    workers: int
    image_size: tuple[int, int]
    batch_size: int
    tokens: int | None
    seconds: StepSeconds
    operations: int | None
    peak_rate: float
    memory: int | None
    predicted_memory: int | None
    switches: list[SwitchedSteps] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def step_seconds(self) -> float:
        """The mean of a step, its wait for the batch included."""
        return self.seconds.per_step().whole

    @property
    def images_per_second(self) -> float:
        """Images that the steps got through in a second."""
        return self.batch_size / self.step_seconds

    @property
    def tokens_per_second(self) -> float | None:
        """Tokens likewise."""
        return None if self.tokens is None else self.tokens * self.images_per_second

    @property
    def rate(self) -> float | None:
        """Operations a second: those of a step by its time."""
        return None if self.operations is None else self.operations / self.step_seconds

    @property
    def of_peak(self) -> float | None:
        """The share of the device's measured peak."""
        return None if self.rate is None else self.rate / self.peak_rate

    def as_json(self) -> dict[str, Any]:
        """Return everything, what follows from the measured numbers included."""
        return {
            **asdict(self),
            "step_seconds": self.step_seconds,
            "shares": {name: self.seconds.share(name) for name in self.seconds.by_phase()},
            "images_per_second": self.images_per_second,
            "tokens_per_second": self.tokens_per_second,
            "flops_per_second": self.rate,
            "of_peak": self.of_peak,
        }
