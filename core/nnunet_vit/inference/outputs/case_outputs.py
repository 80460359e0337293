"""Which files a case has in the folder of masks, by what was asked for: one list for all."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from nnunet_vit.inference.loaded_model import LoadedModel
from nnunet_vit.inference.outputs.float_image import NIFTI, TIFF, ending_for
from nnunet_vit.inference.prediction_options import PredictionOptions
from nnunet_vit.inference.tiling.grid import mirrors_of

PROBABILITIES = (".npz", ".pkl")  # that nnU-Net writes beside a case's mask
UNCERTAINTY = "uncertainty"
OVERLAYS = "overlays"


@dataclass(frozen=True)
class CaseOutputs:
    """The files of each case of a prediction.

    Attributes:
        ending: of masks.
        reader: nnU-Net's of images and masks, by name.
        options: what is asked for.
        members: networks and mirrored copies whose disagreement is told; 1: there is none.
    """

    ending: str
    reader: str
    options: PredictionOptions
    members: int = 1

    def mask(self, case: str) -> str:
        """Return the name of a mask."""
        return f"{case}{self.ending}"

    def entropy(self, case: str) -> str:
        """Return where the entropy of each pixel lies."""
        return f"{UNCERTAINTY}/{case}_entropy{ending_for(self.reader)}"

    def disagreement(self, case: str) -> str:
        """Return where the disagreement of the members lies."""
        return f"{UNCERTAINTY}/{case}_disagreement{ending_for(self.reader)}"

    def uncertainty(self, case: str) -> list[str]:
        """Return the names of the images of uncertainty."""
        disagreement = [self.disagreement(case)] if self.members > 1 else []
        return [self.entropy(case), *disagreement]

    def names(self, case: str) -> list[str]:
        """Return what the network's output becomes, the mask last.

        Pictures and tables are made of these files: they can be made later.
        """
        names = [f"{case}{end}" for end in PROBABILITIES] if self.options.probabilities else []
        if self.options.uncertainty:
            names += self.uncertainty(case)
        return [*names, self.mask(case)]

    def there(self, masks: Path, cases: Collection[str]) -> list[Path]:
        """Return all that lies in the folder of masks for these cases, whoever asked for it."""
        ends = [*PROBABILITIES, self.ending]
        maps = [f"_{kind}{end}" for kind in ("entropy", "disagreement") for end in (NIFTI, TIFF)]
        files = [
            masks / name
            for case in cases
            for name in (
                *(f"{case}{end}" for end in ends),
                *(f"{UNCERTAINTY}/{case}{end}" for end in maps),
                f"{OVERLAYS}/{case}.png",
            )
        ]
        return [file for file in files if file.is_file()]

    def stale(self, masks: Path, cases: Collection[str]) -> list[Path]:
        """Return what lies there of earlier masks of these cases and will not be replaced.

        Who works on masks takes what lies beside one for its own.
        """
        written = {masks / name for case in cases for name in self.names(case)}
        return [file for file in self.there(masks, cases) if file not in written]


def outputs_of(model: LoadedModel, options: PredictionOptions) -> CaseOutputs:
    """Return the files that a model's prediction writes."""
    mirrors = mirrors_of(model.mirroring_axes if options.mirroring else None)
    reader = str(model.plans.plans["image_reader_writer"])
    return CaseOutputs(model.ending, reader, options, len(model.networks) * len(mirrors))
