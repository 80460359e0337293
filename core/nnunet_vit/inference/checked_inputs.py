"""The images to predict and the folder of their masks, both checked before anything is loaded."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from nnunet_vit.errors import MachineError
from nnunet_vit.files.writable import check_writable
from nnunet_vit.inference.inputs import Inputs, Trained, sound_inputs
from nnunet_vit.inference.large.which_images import refuse_large
from nnunet_vit.inference.outputs.case_outputs import FOLDERS, check_min_size
from nnunet_vit.inference.prediction_options import PredictionOptions
from nnunet_vit.report.progress import Progress


def checked_inputs(
    images: Path | Sequence[Path],
    masks: Path,
    models: Sequence[Trained],
    *,
    options: PredictionOptions,
    progress: Progress,
) -> Inputs:
    """Return the cases, after a look at where masks go and at the images.

    Args:
        images: a folder of them, a list, a table, or images.
        masks: the folder to write to.
        models: that predict; all take the same images.
        options: how.
        progress: where to show what happens.

    Raises:
        ConfigError: the options do not fit the model's images.
        DataError: there are no images, or all are damaged or do not fit.
        MachineError: masks would be written among the images, or cannot be.
    """
    given = [images] if isinstance(images, Path) else images
    folders = [model.path for model in models]
    _check_place(masks, [each for each in given if each.is_dir()], folders)
    check_min_size(options, models[0].plans["image_reader_writer"])
    size = options.min_size
    inputs = sound_inputs(given, models[0], progress, misfit=None if size is None else size.misfit)
    refuse_large(inputs.large, options.of_whole_images())
    files = [file for own in inputs.all_cases.values() for file in own]
    _check_place(masks, {file.parent for file in files}, ())
    return inputs


def _check_place(masks: Path, images: Iterable[Path], models: Iterable[Path]) -> None:
    """Refuse to write masks, dataset.json and plans.json among what they are made from.

    Args:
        masks: the folder to write to.
        images: folders of these.
        models: folders.

    Raises:
        MachineError: masks would be, or cannot be written.
    """
    folders = [(folder, "of the images") for folder in images]
    for folder, what in (*folders, *((model, "of the model") for model in models)):
        if masks.resolve() == folder.resolve():
            raise MachineError(f"-o {masks} is the folder {what}.", fix="another folder.")
        if folder.name in FOLDERS and masks.resolve() == folder.resolve().parent:
            raise MachineError(  # an earlier case's files there are deleted
                f"-o {masks} holds the folder {what}, {folder.name}, to which predictions write.",
                fix="another folder.",
            )
    check_writable(masks, f"-o {masks}")
