"""A model that is shared, with the networks of its folds ready to predict."""

from dataclasses import dataclass

from nnunet_vit.checkpoints.fold_folder import Kind, fold_of
from nnunet_vit.inference.loaded_model import LoadedModel
from nnunet_vit.inference.model_folder import ModelFolder
from nnunet_vit.inference.predict import loaded
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
    content = source.content(progress)
    progress.start_work("Loading the network")
    folds = tuple(map(fold_of, content.folds))
    model = loaded(content.model, list(content.folds.values()))
    return OpenedModel(content.model, folds, content.kind, model)
