"""How a prediction is made: what the command line says beside images, masks and model."""

from dataclasses import dataclass

from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.inference.least_size import LeastSize

STEP = 0.5
NPZ = "npz"
FORMATS = (NPZ, "nifti", "tiff")  # of probabilities


@dataclass(frozen=True)
class PredictionOptions:
    """How masks are made, and what is written beside them.

    Attributes:
        device: cpu, cuda, cuda:1 or mps; None: the best that is there.
        mirroring: average over mirrored images.
        probabilities: write them too.
        resume: leave masks that the same model has made of the same images.
        step: between tiles, at most this share of a tile; nnU-Net's is 0.5.
        volumes: write a table of how large each class is in each mask.
        uncertainty: write how unsure the prediction is of each pixel.
        overlays: draw each mask on its image.
        probabilities_format: npz, as nnU-Net writes them, nifti or tiff.
        largest_component: of each class the largest connected part stays alone.
        min_size: smaller connected parts of a class become background.
        instances: number the connected parts.
    """

    device: str | None = None
    mirroring: bool = True
    probabilities: bool = False
    resume: bool = False
    step: float = STEP
    volumes: bool = False
    uncertainty: bool = False
    overlays: bool = False
    probabilities_format: str = NPZ
    largest_component: bool = False
    min_size: LeastSize | None = None
    instances: bool = False

    def of_whole_images(self) -> list[str]:
        """Return those that are given and need whole images, as the command line writes them."""
        given = {
            "--probabilities": self.probabilities,
            "--uncertainty": self.uncertainty,
            "--overlays": self.overlays,
            "--instances": self.instances,
            "--largest-component": self.largest_component,
            "--min-size": self.min_size is not None,
        }
        return [flag for flag, wanted in given.items() if wanted]

    def changes_masks(self) -> JsonObject:
        """Return what masks depend on beside model and images."""
        found: JsonObject = {"mirroring": self.mirroring, "step": self.step}
        if self.largest_component:  # left out otherwise: masks of earlier versions stay finished
            found["largest_component"] = True
        if self.min_size is not None:
            found["min_size"] = str(self.min_size)
        return found
