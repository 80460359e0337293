"""How a prediction is made: what the command line says beside images, masks and model."""

from dataclasses import dataclass

from nnunet_vit.files.json_file import JsonObject

STEP = 0.5


@dataclass(frozen=True)
class PredictionOptions:
    """How masks are made, and what is written beside them.

    Attributes:
        device: cpu, cuda, cuda:1 or mps; None: the best that is there.
        mirroring: average over mirrored images.
        probabilities: write them beside the masks, as nnU-Net does.
        resume: leave masks that the same model has made of the same images.
        step: between tiles, at most this share of a tile; nnU-Net's is 0.5.
        volumes: write a table of how large each class is in each mask.
        uncertainty: write how unsure the prediction is of each pixel.
        overlays: draw each mask on its image.
    """

    device: str | None = None
    mirroring: bool = True
    probabilities: bool = False
    resume: bool = False
    step: float = STEP
    volumes: bool = False
    uncertainty: bool = False
    overlays: bool = False

    def changes_masks(self) -> JsonObject:
        """Return what masks depend on beside model and images."""
        return {"mirroring": self.mirroring, "step": self.step}
