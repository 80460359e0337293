"""The mean and std that a Hugging Face snapshot says its weights were trained with."""

from dataclasses import dataclass, replace
from math import isclose
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nnunet_vit.errors import ModelError
from nnunet_vit.modeling.weights.files.snapshot import WHOLE

NESTED, PROCESSOR, CONFIG = "processor_config.json", "preprocessor_config.json", "config.json"
TO_UNIT_RANGE = 1 / 255  # of pixels of 8 bits
LEAST = 1e-3  # of a deviation that images have; 1 / 255 may be written
Number = Annotated[float, Field(allow_inf_nan=False)]
Means = Annotated[list[Number], Field(min_length=3, max_length=3)]
Deviations = Annotated[list[Annotated[Number, Field(gt=0)]], Field(min_length=3, max_length=3)]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")


Content = TypeVar("Content", bound=_Strict)


class _Processor(_Strict):
    do_normalize: bool | None = None
    do_rescale: bool | None = None
    rescale_factor: Number | None = None
    image_mean: Means | None = None
    image_std: Deviations | None = None


class _Nested(_Strict):
    image_processor: _Processor | None = None


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
        ModelError: it says something that is no three numbers, or not of which intensities.
    """
    folder = weights if weights.is_dir() else weights.parent
    if folder != weights and weights.name not in WHOLE:  # what lies beside may be of other weights
        return None
    for file in (folder / NESTED, folder / PROCESSOR):  # transformers prefers them so
        said = _processor(file) if file.is_file() else None
        if said is not None and (found := _of_processor(said, file)) is not None:
            return found
    if not (folder / CONFIG).is_file():
        return None
    settings = _read(_Config, folder / CONFIG).pretrained_cfg or _Settings()
    found = _together(settings.mean, settings.std, folder / CONFIG)
    if found is not None and _is_of_bytes(found):
        raise _unusable(found.file, f"{_numbers(found)} are not of intensities in 0..1")
    return found


def _processor(file: Path) -> _Processor | None:
    return _read(_Nested, file).image_processor if file.name == NESTED else _read(_Processor, file)


def _of_processor(said: _Processor, file: Path) -> SnapshotStatistics | None:
    if said.do_normalize is False:
        found: SnapshotStatistics | None = SnapshotStatistics((0.0,) * 3, (1.0,) * 3, file)
    else:
        found = _together(said.image_mean, said.image_std, file)
    return None if found is None else _in_unit_range(found, said)


def _in_unit_range(found: SnapshotStatistics, said: _Processor) -> SnapshotStatistics:
    """Return statistics of images in 0..1; others are of bytes that nothing rescales before."""
    scale = None if said.do_rescale is False else said.rescale_factor
    if scale is not None and not isclose(scale, TO_UNIT_RANGE, rel_tol=1e-3):
        raise _unusable(
            found.file, f"its image_mean is not of intensities in 0..1 (factor {scale:g})"
        )
    if _is_of_bytes(found):
        if said.do_rescale is True or scale is not None:
            raise _unusable(
                found.file, f"{_numbers(found)} are of intensities in 0..255, which it rescales"
            )
        found = replace(
            found,
            mean=tuple(value * TO_UNIT_RANGE for value in found.mean),
            std=tuple(value * TO_UNIT_RANGE for value in found.std),
        )
        _refuse_no_deviation(found)
    elif said.do_rescale is False and (set(found.mean), set(found.std)) == ({0.0}, {1.0}):
        raise _unusable(found.file, "nothing says whether its images are in 0..1 or in 0..255")
    return found


def _is_of_bytes(found: SnapshotStatistics) -> bool:
    return max(*map(abs, found.mean), *found.std) > 1


def _refuse_no_deviation(found: SnapshotStatistics) -> None:
    if min(found.std) < LEAST:
        raise _unusable(found.file, f"{_numbers(found)} hold a deviation of {min(found.std):g}")


def _numbers(found: SnapshotStatistics) -> str:
    return f"mean {list(found.mean)} and std {list(found.std)}"


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
    found = SnapshotStatistics(tuple(mean), tuple(std), file)
    _refuse_no_deviation(found)
    return found


def _unusable(file: Path, reason: str) -> ModelError:
    return ModelError(
        f"{file} holds no usable statistics of the images: {reason}.",
        fix="fetch the snapshot again, or give model.input_mean and model.input_std.",
    )
