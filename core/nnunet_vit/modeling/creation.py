"""A backbone built, and its pretrained weights loaded where they are wanted."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path
from weakref import WeakKeyDictionary

from torch import nn

from nnunet_vit.backbones import is_timm, timm_name
from nnunet_vit.config.backbone_arguments import BackboneArguments
from nnunet_vit.errors import ModelError
from nnunet_vit.modeling.published import published_weights, require_published
from nnunet_vit.modeling.snapshot_network import arguments_for
from nnunet_vit.modeling.timm_arguments import NO_ARGUMENTS, argument_text
from nnunet_vit.modeling.timm_classes import class_of, patch_size_of
from nnunet_vit.modeling.timm_models import build_timm, check_image_size
from nnunet_vit.modeling.weights import Coverage, load_backbone_weights
from nnunet_vit.modeling.weights.grids import FileGrid

RGB = 3  # channels that published weights were trained on

_weights_wanted: ContextVar[bool] = ContextVar("weights_wanted", default=True)


# what the weights brought to each backbone that was built here, also by a head for itself
_coverages: WeakKeyDictionary[nn.Module, Coverage] = WeakKeyDictionary()


def coverage_of(model: nn.Module) -> Coverage | None:
    """Return what the pretrained weights brought to a backbone; None: random, or not built here."""
    return _coverages.get(model)


@contextmanager
def pretrained_weights(wanted: bool) -> Iterator[None]:
    """Say whether backbones built inside get pretrained weights.

    A network that is rebuilt for prediction or to go on training must not fetch any: its weights
    come from the checkpoint.
    """
    token = _weights_wanted.set(wanted)
    try:
        yield
    finally:
        _weights_wanted.reset(token)


def weights_wanted() -> bool:
    """Tell whether a backbone that is built now gets pretrained weights."""
    return _weights_wanted.get()


@dataclass(frozen=True)
class LoadedBackbone:
    """A timm ViT with its weights; `coverage_of` tells what they brought.

    Attributes:
        model: the ViT.
        patch_size: edge of a patch, pixels.
        timm_name: with the tag of the weights, if there is one.
    """

    model: nn.Module
    patch_size: int
    timm_name: str


def load_backbone(
    model_name: str,
    model_size: str | None,
    checkpoint_path: str | None,
    image_size: tuple[int, int] | None,
    in_channels: int,
    patch_size: int | None = None,
    expected_coverage: float = 1.0,
    checkpoint_key: str | None = None,
    arguments: BackboneArguments = NO_ARGUMENTS,
    position_grid: tuple[int, int] | None = None,
) -> LoadedBackbone:
    """Do what create_backbone does."""
    size = None if is_timm(model_name) else model_size
    name = timm_name(model_name, size)
    if _weights_wanted.get() and checkpoint_path:
        arguments = arguments_for(name, Path(checkpoint_path), arguments, patch_size)
    model = build_timm(name, image_size, in_channels, patch_size, arguments)
    edge = patch_size_of(model)
    if image_size is not None:
        check_image_size(name, image_size, edge)
    if _weights_wanted.get():
        if checkpoint_path:
            file = Path(checkpoint_path)
        else:
            require_published(model_name, size)
            file = published_weights(name)
        _check_channels(model, name, in_channels)
        grid = FileGrid(position_grid, square=not checkpoint_path)
        coverage = load_backbone_weights(model, file, expected_coverage, checkpoint_key, grid)
        if arguments.given():
            built = f"built with {argument_text(arguments)}"
            coverage = replace(coverage, notes=(*coverage.notes, built))
        _coverages[model] = coverage
    return LoadedBackbone(model, edge, name)


def _check_channels(model: nn.Module, name: str, channels: int) -> None:
    if channels != RGB and not class_of(model).any_channels:
        raise ModelError(
            f"The weights of {name} were trained on {RGB} channels and cannot be adapted to "
            f"{channels}.",
            fix="images of 3 channels, or of 1 (a run repeats it), another backbone, or "
            "model.pretrained: false.",
        )
