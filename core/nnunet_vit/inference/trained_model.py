"""A trained model for Python: arrays in, masks out, no files between."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from nnunet_vit.data.channels import in_order
from nnunet_vit.errors import ConfigError, DataError, NumericsError
from nnunet_vit.files.json_file import JsonObject
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
            DataError: another number of channels or axes, or values that are not finite.
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
        values, flat = self._checked(image)
        case = self._prepared(values, self._spacing(spacing, flat))
        ((_, logits),) = self._window.logits([(case, case.image)])
        if not bool(torch.isfinite(logits).all()):
            raise NumericsError("The network's output is not finite.")
        return case, logits, flat

    def _checked(self, image: "Array | torch.Tensor") -> tuple["Array", bool]:
        """Return an image as (C, Z, Y, X), and whether it came without Z."""
        values = np.asarray(_without_torch(image))
        wanted = len(self.channels)
        if values.ndim == 2 and wanted == 1:
            values = values[None]
        if values.ndim not in (3, 4) or len(values) != wanted or not values.size:
            raise DataError(
                f"An image of shape {values.shape}; needed: (channels, Y, X) or (channels, Z, Y, "
                f"X) with {wanted} of them, {', '.join(self.channels)}."
            )
        if not np.issubdtype(values.dtype, np.number) or np.iscomplexobj(values):
            raise DataError(f"An image of {values.dtype}; needed: real numbers.")
        if not np.isfinite(values).all():
            raise DataError("An image with values that are not finite.", fix="np.nan_to_num")
        flat = values.ndim == 3
        return (values[:, None] if flat else values), flat

    def _spacing(self, spacing: Sequence[float] | None, flat: bool) -> list[float]:
        trained = [float(size) for size in self._model.configuration.spacing]
        if spacing is None and any(size != 1 for size in trained):
            raise DataError(
                "spacing is not given, and the model resamples to "
                f"{' x '.join(f'{size:g}' for size in trained)} mm.",
                fix=f"spacing={'(Y, X)' if flat else '(Z, Y, X)'} of the image, in mm",
            )
        return _spacing_of(spacing, flat)

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


def _without_torch(image: "Array | torch.Tensor") -> "Array | torch.Tensor":
    """Return what numpy can take: it has no bfloat16, and takes nothing that has gradients."""
    if not isinstance(image, torch.Tensor):
        return image
    own = image.detach().cpu()
    return own.float() if own.dtype == torch.bfloat16 else own


def _spacing_of(spacing: Sequence[float] | None, flat: bool) -> list[float]:
    """Return the spacing (Z, Y, X) as nnU-Net's readers give it; pictures have 999 between."""
    axes = 2 if flat else 3
    own = [1.0] * axes if spacing is None else [float(size) for size in spacing]
    if len(own) != axes or not all(0 < size < np.inf for size in own):
        raise DataError(
            f"spacing {list(spacing or ())}; needed: {axes} numbers greater than 0, "
            f"{'(Y, X)' if flat else '(Z, Y, X)'}."
        )
    return [999.0, *own] if flat else own
