"""Where the time of training steps went, by phase: plain numbers and their line."""

from dataclasses import dataclass, fields

WAIT, TRANSFER, FORWARD, BACKWARD, OPTIMIZER = (
    "wait", "transfer", "forward", "backward", "optimizer",
)  # fmt: skip
PHASES = (WAIT, TRANSFER, FORWARD, BACKWARD, OPTIMIZER)  # in the order of a step


@dataclass(frozen=True)
class StepSeconds:
    """Seconds of training steps, by phase; on a GPU of its own time, so that no step waits for it.

    Attributes:
        wait: for batches; on a GPU what it idles before a batch is there.
        transfer: of batches to the device, with their augmentation where it is done there.
        forward: with the loss.
        backward: with what checkpointing and accumulation compute again.
        optimizer: with clipping, and what is done after each step, as averaging weights.
        steps: how many there were.
    """

    wait: float = 0.0
    transfer: float = 0.0
    forward: float = 0.0
    backward: float = 0.0
    optimizer: float = 0.0
    steps: int = 0

    @property
    def computing(self) -> float:
        """Seconds of the steps themselves, without the wait."""
        return self.transfer + self.forward + self.backward + self.optimizer

    @property
    def whole(self) -> float:
        """Seconds of all phases."""
        return self.wait + self.computing

    @property
    def waiting(self) -> float:
        """The share of the time that went into waiting, 0 to 1."""
        return self.share(WAIT)

    def share(self, phase: str) -> float:
        """Return a phase's share of the time, 0 to 1."""
        return self.by_phase()[phase] / self.whole if self.whole else 0.0

    def by_phase(self) -> dict[str, float]:
        """Return the seconds of each phase."""
        return {each.name: getattr(self, each.name) for each in fields(self) if each.name in PHASES}

    def per_step(self) -> "StepSeconds":
        """Return the mean of a step."""
        count = max(1, self.steps)
        return StepSeconds(**{name: s / count for name, s in self.by_phase().items()}, steps=1)

    def as_text(self) -> str:
        """Return a step's seconds and each phase's share in a line."""
        mean = self.per_step()
        parts = [f"{name} {mean.share(name):.1%}" for name in PHASES]
        return f"step {mean.whole:.4f} s ({', '.join(parts)})"
