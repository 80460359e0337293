"""Which files a case has in the folder of masks, by what was asked for: one list for all."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from nnunet_vit.errors import ConfigError
from nnunet_vit.inference.large.which_images import MASK
from nnunet_vit.inference.least_size import PIXELS
from nnunet_vit.inference.loaded_model import LoadedModel
from nnunet_vit.inference.outputs.float_image import NIFTI, TIFF, ending_for
from nnunet_vit.inference.prediction_options import PredictionOptions
from nnunet_vit.inference.tiling.grid import mirrors_of

NNUNETS = (".npz", ".pkl")  # probabilities that nnU-Net writes beside a case's mask
PROBABILITIES = "probabilities"
UNCERTAINTY = "uncertainty"
OVERLAYS = "overlays"
INSTANCES = "instances"
FOLDERS = (PROBABILITIES, UNCERTAINTY, OVERLAYS, INSTANCES)  # among the masks
VOLUMES_TABLE = "volumes.csv"
UNCERTAINTY_TABLE = "uncertainty.csv"
INSTANCES_TABLE = "instances.csv"
WITHOUT_SPACING = ("NaturalImage2DIO", "Tiff3DIO")
ENDINGS = {"nifti": NIFTI, "tiff": TIFF}


@dataclass(frozen=True)
class CaseOutputs:
    """The files of each case of a prediction.

    Attributes:
        ending: of masks.
        reader: nnU-Net's of images and masks, by name.
        options: what is asked for.
        members: networks and mirrored copies whose disagreement is told; 1: there is none.
        large: the cases that are read in strips, whose masks are TIFFs.
    """

    ending: str
    reader: str
    options: PredictionOptions
    members: int = 1
    large: Collection[str] = ()

    def mask(self, case: str) -> str:
        """Return the name of a mask."""
        return f"{case}{MASK if case in self.large else self.ending}"

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

    def probabilities(self, case: str) -> list[str]:
        """Return the names of the files of probabilities."""
        ending = ENDINGS.get(self.options.probabilities_format)
        if ending is not None:
            return [f"{PROBABILITIES}/{case}{ending}"]
        return [f"{case}{end}" for end in NNUNETS]

    def instances(self, case: str) -> str:
        """Return where the numbers of connected parts lie."""
        return f"{INSTANCES}/{case}{ending_for(self.reader)}"

    @property
    def has_no_spacing(self) -> bool:
        """Whether files do not say how large a pixel is, or not all do."""
        return self.reader in WITHOUT_SPACING

    def names(self, case: str) -> list[str]:
        """Return what the network's output becomes, the mask last.

        Pictures and tables are made of these files: they can be made later.
        """
        names = self.probabilities(case) if self.options.probabilities else []
        if self.options.uncertainty:
            names += self.uncertainty(case)
        return [*names, self.mask(case)]

    def there(self, masks: Path, cases: Collection[str]) -> list[Path]:
        """Return all that lies in the folder of masks for these cases, whoever asked for it."""
        files = [masks / name for case in cases for name in self._possible(case)]
        return [file for file in files if file.is_file()]

    def _possible(self, case: str) -> Iterator[str]:
        yield from (f"{case}{end}" for end in NNUNETS)
        yield self.mask(case)
        yield f"{OVERLAYS}/{case}.png"
        for end in (NIFTI, TIFF):
            yield f"{UNCERTAINTY}/{case}_entropy{end}"
            yield f"{UNCERTAINTY}/{case}_disagreement{end}"
            yield f"{PROBABILITIES}/{case}{end}"
            yield f"{INSTANCES}/{case}{end}"

    def stale(self, masks: Path, cases: Collection[str]) -> list[Path]:
        """Return what lies there of earlier masks of these cases and will not be replaced.

        Who works on masks takes what lies beside one for its own.
        """
        written = {masks / name for case in cases for name in self.names(case)}
        found = [file for file in self.there(masks, cases) if file not in written]
        tables = {
            VOLUMES_TABLE: self.options.volumes,
            UNCERTAINTY_TABLE: self.options.uncertainty,
            INSTANCES_TABLE: self.options.instances,
        }
        others = [masks / name for name, asked in tables.items() if cases and not asked]
        return [*found, *(file for file in others if file.is_file())]


def check_min_size(options: PredictionOptions, reader: str) -> None:
    """Refuse a least size in mm where files do not say how large a pixel is.

    Raises:
        ConfigError: it is.
    """
    if (
        options.min_size is not None
        and options.min_size.unit != PIXELS
        and (reader in WITHOUT_SPACING)
    ):
        raise ConfigError(
            f"--min-size {options.min_size}: the model was trained on images that do not say how "
            "large a pixel is.",
            fix="a number of pixels, as in --min-size 50.",
        )


def outputs_of(
    model: LoadedModel, options: PredictionOptions, *, large: Collection[str] = ()
) -> CaseOutputs:
    """Return the files that a model's prediction writes; masks of large cases are TIFFs."""
    mirrors = mirrors_of(model.mirroring_axes if options.mirroring else None)
    reader = str(model.plans.plans["image_reader_writer"])
    return CaseOutputs(model.ending, reader, options, len(model.networks) * len(mirrors), large)
