"""How a prediction is made: what the command line says beside images, masks and model."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PredictionOptions:
    """How masks are made.

    Attributes:
        device: cpu, cuda, cuda:1 or mps; None: the best that is there.
        mirroring: average over mirrored images.
        probabilities: write them beside the masks, as nnU-Net does.
    """

    device: str | None = None
    mirroring: bool = True
    probabilities: bool = False
