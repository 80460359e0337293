"""A model folder opened for sharing: which folds of it, with their weights."""

from dataclasses import dataclass

from nnunet_vit.checkpoints.fold_folder import Kind
from nnunet_vit.inference.fold_weights import read_fold
from nnunet_vit.inference.loaded_model import LoadedModel
from nnunet_vit.inference.model_folder import ModelFolder, kind_of, open_model
from nnunet_vit.inference.predict import loaded, log_all
from nnunet_vit.modeling.hub.download_progress import downloads_shown_by
from nnunet_vit.report.progress import Progress
from nnunet_vit.sharing.export_source import Source


@dataclass(frozen=True)
class OpenedModel:
    """A model with the networks of the wanted folds.

    Attributes:
        folder: where it lies.
        folds: by number, or "all".
        kind: of their checkpoints.
        model: ready to predict.
    """

    folder: ModelFolder
    folds: tuple[int | str, ...]
    kind: Kind
    model: LoadedModel


def opened_model(source: Source, progress: Progress) -> OpenedModel:
    """Return the model that is shared.

    Raises:
        ModelError: the folder is no trained model, a fold is missing, or a file is damaged.
    """
    kind = kind_of(source.checkpoint)
    folder = open_model(source.path)
    folds = tuple(folder.folds(source.folds, kind))
    progress.start_work("Loading the network")
    with downloads_shown_by(progress):
        weights = [read_fold(folder, fold, kind, base=source.base) for fold in folds]
    log_all((notice for fold in weights for notice in fold.notices), progress)
    return OpenedModel(folder, folds, kind, loaded(folder, weights))
