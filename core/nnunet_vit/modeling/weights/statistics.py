"""The mean and std that a Hugging Face snapshot says its weights were trained with."""

from dataclasses import dataclass
from math import isclose
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nnunet_vit.errors import ModelError
from nnunet_vit.modeling.weights.snapshot import WHOLE

PROCESSOR, CONFIG = "preprocessor_config.json", "config.json"
TO_UNIT_RANGE = 1 / 255  # of pixels of 8 bits
Number = Annotated[float, Field(allow_inf_nan=False)]
Means = Annotated[list[Number], Field(min_length=3, max_length=3)]
Deviations = Annotated[list[Annotated[Number, Field(gt=0)]], Field(min_length=3, max_length=3)]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")


Content = TypeVar("Content", bound=_Strict)


class _Processor(_Strict):
    do_normalize: bool | None = None
    rescale_factor: Number | None = None
    image_mean: Means | None = None
    image_std: Deviations | None = None


class _Settings(_Strict):
    mean: Means | None = None
    std: Deviations | None = None


class _Config(_Strict):
    pretrained_cfg: _Settings | None = None


@dataclass(frozen=True)
class SnapshotStatistics:
    """What a snapshot says.

    Attributes:
        mean: per RGB channel, of intensities in 0..1.
        std: likewise.
        file: that says it.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    file: Path


def statistics_of_snapshot(weights: Path) -> SnapshotStatistics | None:
    """Return the statistics of a snapshot; None: it is none, or says nothing.

    Args:
        weights: a snapshot folder, or the one file of weights inside it.

    Raises:
        ModelError: it says something that is no three numbers, or of other intensities than 0..1.
    """
    folder = weights if weights.is_dir() else weights.parent
    if folder != weights and weights.name not in WHOLE:  # what lies beside may be of other weights
        return None
    if (folder / PROCESSOR).is_file():
        found = _of_processor(folder / PROCESSOR)
        if found is not None:
            return found
    if not (folder / CONFIG).is_file():
        return None
    settings = _read(_Config, folder / CONFIG).pretrained_cfg or _Settings()
    return _together(settings.mean, settings.std, folder / CONFIG)


def _of_processor(file: Path) -> SnapshotStatistics | None:
    said = _read(_Processor, file)
    if said.do_normalize is False:
        return SnapshotStatistics((0.0,) * 3, (1.0,) * 3, file)
    found = _together(said.image_mean, said.image_std, file)
    scale = said.rescale_factor
    if found and scale is not None and not isclose(scale, TO_UNIT_RANGE, rel_tol=1e-3):
        raise _unusable(file, f"its image_mean is not of intensities in 0..1 (factor {scale:g})")
    return found


def _read(kind: type[Content], file: Path) -> Content:
    try:
        return kind.model_validate_json(file.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise _unusable(file, f"{place}: {first['msg']}" if place else first["msg"]) from error
    except OSError as error:
        raise _unusable(file, error.strerror or type(error).__name__) from error


def _together(
    mean: list[float] | None, std: list[float] | None, file: Path
) -> SnapshotStatistics | None:
    if mean is None and std is None:
        return None
    if mean is None or std is None:
        raise _unusable(file, "it holds one of mean and std, without the other")
    return SnapshotStatistics(tuple(mean), tuple(std), file)


def _unusable(file: Path, reason: str) -> ModelError:
    return ModelError(
        f"{file} holds no usable statistics of the images: {reason}.",
        fix="fetch the snapshot again, or give model.input_mean and model.input_std.",
    )
