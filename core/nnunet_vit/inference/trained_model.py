"""A trained model for Python: arrays in, masks out, no files between."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from nnunet_vit.data.channels import in_order
from nnunet_vit.errors import ConfigError, NumericsError
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.inference.array_input import array_input
from nnunet_vit.inference.fold_weights import read_fold
from nnunet_vit.inference.loaded_model import LoadedModel
from nnunet_vit.inference.model_folder import kind_of, open_model
from nnunet_vit.inference.predict import loaded
from nnunet_vit.inference.predicting.pipeline import window_of
from nnunet_vit.inference.predicting.prepared_case import PreparedCase, mask_of, probabilities_of
from nnunet_vit.inference.prediction_options import PredictionOptions
from nnunet_vit.modeling.runtime.devices import choose_device
from nnunet_vit.report.progress import Progress

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array


class TrainedModel:
    """A model that segments arrays. Several threads may use one at once.

    Attributes:
        channels: names of the channels that an image has, in order.
        labels: values in masks, by name; of regions, the labels that make them up.
    """

    def __init__(self, model: LoadedModel, options: PredictionOptions) -> None:
        """Put the networks on the device of the options."""
        self._model, self._options = model, options
        self._window = window_of(model, options, Progress())
        self.channels = list(in_order(model.description["channel_names"]).values())
        self.labels: JsonObject = dict(model.description["labels"])

    def predict(
        self, image: "Array | torch.Tensor", spacing: Sequence[float] | None = None
    ) -> "Array":
        """Return the mask of an image.

        Args:
            image: (channels, Y, X), or of a volume (channels, Z, Y, X), with the intensities that
                the files of the training images have; one channel may be left out: (Y, X).
            spacing: between the centres of pixels (Y, X) or voxels (Z, Y, X), mm; None for models
                of spacing 1 alone, as of pictures, which have none.

        Shapes: the mask is (Y, X) or (Z, Y, X), of unsigned integers.

        Raises:
            DataError: another number of channels or axes, values that are not finite, or a spacing
                that is lacking, or that a model of pictures does not take.
            NumericsError: the network's output is not finite.
        """
        case, logits, flat = self._logits(image, spacing)
        mask = mask_of(case, logits, self._model)
        return mask[0] if flat else mask

    def predict_probabilities(
        self, image: "Array | torch.Tensor", spacing: Sequence[float] | None = None
    ) -> "Array":
        """Return the probability of each class, or region, in each pixel.

        Args:
            image: as `predict` takes it.
            spacing: likewise.

        Shapes: (outputs, Y, X) or (outputs, Z, Y, X), float32.

        Raises:
            DataError: as `predict`.
            NumericsError: likewise.
        """
        case, logits, flat = self._logits(image, spacing)
        values = probabilities_of(case, logits, self._model)
        return values[:, 0] if flat else values

    def _logits(
        self, image: "Array | torch.Tensor", spacing: Sequence[float] | None
    ) -> tuple[PreparedCase, torch.Tensor, bool]:
        given = array_input(image, spacing, self._model, self.channels)
        case = self._prepared(given.values, given.spacing)
        ((_, logits),) = self._window.logits([(case, case.image)])
        if not bool(torch.isfinite(logits).all()):
            raise NumericsError("The network's output is not finite.")
        return case, logits, given.flat

    def _prepared(self, values: "Array", spacing: Sequence[float]) -> PreparedCase:
        model = self._model
        preprocessor = model.configuration.preprocessor_class(verbose=False)
        known: dict[str, Any] = {"spacing": list(spacing)}
        prepared, _, known = preprocessor.run_case_npy(
            values, None, known, model.plans, model.configuration, model.description
        )
        return PreparedCase("", torch.from_numpy(prepared), known)


def load_model(
    path: str | Path,
    *,
    folds: Sequence[int | str] | None = None,
    checkpoint: str = "final",
    device: str | None = None,
    mirroring: bool = True,
    step_size: float = 0.5,
    pretrained_weights: str | Path | None = None,
) -> TrainedModel:
    """Return a trained model.

    Args:
        path: the folder that `vit_cli train` prints last.
        folds: whose networks are averaged; None: all that are there.
        checkpoint: final, best or latest.
        device: cpu, cuda, cuda:1 or mps; None: the best that is there.
        mirroring: average over mirrored images.
        step_size: between tiles, at most this share of a tile.
        pretrained_weights: where a small checkpoint needs them and they have moved.

    Raises:
        ConfigError: the step is 0 or less, or larger than a tile.
        ModelError: the folder is no trained model, a fold is missing, or a file is damaged.
        MachineError: the device is not there.
    """
    if not 0 < step_size <= 1:
        raise ConfigError(f"step_size {step_size}; allowed: more than 0, at most 1.")
    trained = open_model(Path(path))
    kind = kind_of(checkpoint)
    base = None if pretrained_weights is None else Path(pretrained_weights)
    wanted = None if folds is None else [str(fold) for fold in folds]
    weights = [read_fold(trained, fold, kind, base=base) for fold in trained.folds(wanted, kind)]
    options = PredictionOptions(mirroring=mirroring, step=step_size)
    return TrainedModel(loaded(trained, weights), replace(options, device=choose_device(device)))
