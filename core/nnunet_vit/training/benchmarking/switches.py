"""The keys of the run file whose other values a benchmark tries: what each would bring."""

from collections.abc import Callable, Iterator
from typing import Any, Literal, get_args, get_origin

from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.profiling.measured_run import precision_of

# a key that this version's run file lacks is left out; its values are those that the file allows
SWITCHES = (
    "model.precision",
    "train.gradient_checkpointing",
    "train.compile",
    "train.augmentation_device",
)
# what a value that leaves the choice to the program stands for
MEANT: dict[str, Callable[[ViTnnUNetConfig, str], object]] = {"model.precision": precision_of}
CHOOSES = "auto"


def other_values(run: ViTnnUNetConfig, device: str) -> Iterator[tuple[str, object]]:
    """Yield each key with each value that the run does not have.

    Args:
        run: resolved.
        device: its kind: cuda, cpu or mps.
    """
    for key in SWITCHES:
        section, name = key.split(".")
        part = getattr(run, section)
        known = type(part).model_fields.get(name)
        if known is None:
            continue
        now = MEANT[key](run, device) if key in MEANT else getattr(part, name)
        yield from ((key, value) for value in _allowed(known.annotation) if value != now)


def switched(run: ViTnnUNetConfig, key: str, value: object) -> ViTnnUNetConfig:
    """Return the run with another value of a key, validated."""
    section, name = key.split(".")
    part = getattr(run, section)
    changed = type(part).model_validate({**part.model_dump(), name: value})
    return run.model_copy(update={section: changed})


def _allowed(annotation: Any) -> list[object]:  # noqa: ANN401 - of a field
    """Return the values of a type that has few."""
    if annotation is bool:
        return [True, False]
    if get_origin(annotation) is Literal:
        return [value for value in get_args(annotation) if value != CHOOSES]
    return [value for part in get_args(annotation) for value in _allowed(part)]
