"""What a run is described for: its dataset's sizes, or sizes that are assumed and named as such."""

from dataclasses import dataclass

from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.config.patch_multiples import next_multiple
from nnunet_vit.data.dataset import Dataset, find_dataset
from nnunet_vit.data.patch_size import patch_size_of_run
from nnunet_vit.data.preprocessing.dataset_plans import check_configuration
from nnunet_vit.errors import UserError
from nnunet_vit.modeling.vit.timm_models import check_image_size
from nnunet_vit.nnunet.folders import use_folders
from nnunet_vit.nnunet.plans_file import PLANS, read_plans, resolved
from nnunet_vit.report.progress import Progress

ASSUMED_EDGE = 512  # pixels, up to the next multiple of the ViT's patch
ASSUMED_BATCH = 12  # what nnU-Net's planner starts from in 2D
ASSUMED_CHANNELS = 3


class Notes(Progress):
    """Keeps what other parts of the package say."""

    def __init__(self) -> None:
        """Start without any."""
        self.lines: list[str] = []

    def log(self, text: str) -> None:
        """Keep one line."""
        self.lines.append(text)


@dataclass(frozen=True)
class Tile:
    """What a training step is fed with.

    Attributes:
        size: (H, W) in pixels.
        batch: tiles per step.
    """

    size: tuple[int, int]
    batch: int


def dataset_of(run: ViTnnUNetConfig, notes: Notes) -> tuple[Dataset, bool]:
    """Return the run's dataset and True, or one that is assumed and False."""
    try:
        if run.data.dataset is not None:
            use_folders(run.paths)
            return find_dataset(run.data.dataset), True
        reason = "No dataset is named."
    except UserError as error:
        reason = error.problem
    count = len(run.model.input_mean or ()) or ASSUMED_CHANNELS
    notes.log(f"{reason} Assumed: {count} channels in 0 to 1, a background and one class.")
    description = {
        "channel_names": {str(number): "rgb_to_0_1" for number in range(count)},
        "labels": {"background": 0, "foreground": 1},
    }
    return Dataset("the assumed dataset", description, None), False


def tile_of(
    run: ViTnnUNetConfig, dataset: Dataset | None, name: str, *, vit_patch: int, notes: Notes
) -> Tile:
    """Return the run's own sizes, else the plans', else what is usual.

    Args:
        run: resolved.
        dataset: the run's, or None where one is assumed.
        name: the ViT's, for messages.
        vit_patch: edge of its patches, pixels.
        notes: gets what was assumed.

    Raises:
        ConfigError: sizes that the ViT's patch does not divide; a configuration that the plans lack
            or that is not 2D.
    """
    given = run.train.patch_size
    sizes = {"train.patch_size": given, "train.batch_size": run.train.batch_size}
    if left := [key for key, value in sizes.items() if value is None]:
        notes.log(f"`vit_cli train` plans {' and '.join(left)}; `vit_cli plan` shows how.")
    if given is not None:
        check_image_size(name, (given[0], given[1]), vit_patch, key="train.patch_size")
    file = dataset.preprocessed / f"{PLANS}.json" if dataset else None
    if file is not None and file.is_file():
        plans = read_plans(file)
        check_configuration(plans, run.data.configuration)
        planned = resolved(file, plans, run.data.configuration)
        image = patch_size_of_run(run, plans, vit_patch, progress=notes)
        return Tile(image, run.train.batch_size or int(planned["batch_size"]))
    (edge,) = next_multiple([ASSUMED_EDGE], vit_patch)
    image = (given[0], given[1]) if given is not None else (edge, edge)
    assumed = [f"{edge} x {edge} pixels"] if given is None else []
    assumed += [f"a batch of {ASSUMED_BATCH}"] if run.train.batch_size is None else []
    if assumed:
        notes.log(f"Without plans of nnU-Net assumed: {', '.join(assumed)}.")
    return Tile(image, run.train.batch_size or ASSUMED_BATCH)
