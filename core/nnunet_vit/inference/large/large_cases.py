"""Large images to masks, one after the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nnunet_vit.errors import UserError, counted
from nnunet_vit.inference.inputs import Inputs
from nnunet_vit.inference.large.freed_memory import give_back_blocks
from nnunet_vit.inference.large.mask_file import write_mask
from nnunet_vit.inference.large.needed_memory import bytes_of_strips
from nnunet_vit.inference.large.normalizing import changes_of, masked_channels
from nnunet_vit.inference.large.opening import opened
from nnunet_vit.inference.large.source import Strips
from nnunet_vit.inference.large.streaming import Reading, mask_lanes, tiles_of
from nnunet_vit.inference.large.which_images import MASK
from nnunet_vit.inference.large.whole_look import WholeLook, look_through
from nnunet_vit.inference.loaded_model import LoadedModel
from nnunet_vit.inference.predicting.memory_errors import naming_memory
from nnunet_vit.inference.predicting.pipeline import Written, window_of
from nnunet_vit.inference.predicting.prepared_case import values_of_masks
from nnunet_vit.inference.predicting.staging import staged_in
from nnunet_vit.inference.prediction_options import PredictionOptions
from nnunet_vit.inference.tiling.window import SlidingWindow
from nnunet_vit.quantities import bytes_text, sizes_text
from nnunet_vit.report.progress import Progress


def predict_large(
    inputs: Inputs,
    masks: Path,
    model: LoadedModel,
    *,
    options: PredictionOptions,
    progress: Progress,
    window: SlidingWindow | None = None,
    written: Written = lambda case, names: None,
) -> dict[str, UserError]:
    """Write CASE.tif, a tiled pyramid, for each large image.

    Args:
        inputs: whose large cases are meant.
        masks: the folder to write to.
        model: that predicts; its networks are on the device of the options afterwards.
        options: how; the device is known.
        progress: is told of every row of tiles.
        window: of the model and the options; None: it is made here.
        written: is told of what lies in the folder.

    Returns:
        What was wrong with cases that have no mask.

    Raises:
        MachineError: the network takes more memory than there is.
    """
    if inputs.large:  # what is predicted next may be another member of an ensemble
        give_back_blocks()
    work = _Work(model, window or window_of(model, options, progress), progress)
    failures: dict[str, UserError] = {}
    for case in inputs.large:
        name = f"{case}{MASK}"
        with staged_in(masks) as staged:
            try:
                with naming_memory(case, inputs.memory):
                    work.predict(case, inputs.cases[case], staged / name)
            except UserError as error:
                failures[case] = error
                continue
            (staged / name).replace(masks / name)
        written(case, [name])
    return failures


@dataclass(frozen=True)
class _Work:
    """A model that predicts large images."""

    model: LoadedModel
    window: SlidingWindow
    progress: Progress

    def predict(self, case: str, files: Sequence[Path], mask: Path) -> None:
        """Write the mask of one image."""
        with Strips(opened(files), str(files[0])) as strips:
            look = self._look(case, strips)
            grid, labels = self.window.grid, self.model.labels
            changes = changes_of(self.model, look, str(files[0]))
            done = [0]
            reading = Reading(strips, look, changes, grid.padding(look.size), done)
            tiles = tiles_of(grid, look, strips.source.shape[2])
            self.progress.start_parts(f"Predicting {case}", tiles, "tile", lambda: done[0])
            values = values_of_masks(labels)
            lanes = mask_lanes(self.window, reading, labels, dtype=values)
            write_mask(mask, lanes, strips.source.shape[1:], values)

    def _look(self, case: str, strips: Strips) -> WholeLook:
        """Say how large an image is, and look at all its pixels."""
        source, grid, done = strips.source, self.window.grid, [0]
        size, model = source.shape[1:], self.model
        outputs = model.labels.num_segmentation_heads
        memory = bytes_of_strips(source, grid.tile, outputs, len(model.networks))
        level = f", {source.level}" if source.level else ""
        tiles = tiles_of(grid, WholeLook((0, size[0]), (0, size[1]), []), size[1])
        self.progress.log(
            f"{case}: {sizes_text(size)} pixels{level}, read in strips: {counted(tiles, 'tile')}, "
            f"{bytes_text(memory)} of memory beside the network."
        )
        self.progress.start_parts(f"Looking at {case}", size[0], "line", lambda: done[0])
        return look_through(strips, masked_channels(model), done)
