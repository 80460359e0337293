"""A backbone built, and its pretrained weights loaded where they are wanted."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path
from weakref import WeakKeyDictionary

from torch import nn

from nnunet_vit.backbones import is_timm, timm_name
from nnunet_vit.config.models import ViTModelConfig
from nnunet_vit.errors import ModelError
from nnunet_vit.modeling.hub.published import (
    origin_record,
    published_weights,
    require_published,
)
from nnunet_vit.modeling.vit.arguments import argument_text
from nnunet_vit.modeling.vit.classes import class_of, patch_size_of
from nnunet_vit.modeling.vit.snapshot_network import arguments_for
from nnunet_vit.modeling.vit.timm_models import build_timm, check_image_size
from nnunet_vit.modeling.weights import Coverage, load_backbone_weights
from nnunet_vit.modeling.weights.shapes.grids import FileGrid

RGB = 3  # channels that published weights were trained on

_weights_wanted: ContextVar[bool] = ContextVar("weights_wanted", default=True)


# what the weights brought to each backbone that was built here, also by a head for itself
_coverages: WeakKeyDictionary[nn.Module, Coverage] = WeakKeyDictionary()
_origins: WeakKeyDictionary[nn.Module, dict[str, str]] = WeakKeyDictionary()


def coverage_of(model: nn.Module) -> Coverage | None:
    """Return what the pretrained weights brought to a backbone; None: random, or not built here."""
    return _coverages.get(model)


def origin_of(model: nn.Module) -> dict[str, str] | None:
    """Return the record of the published weights that a backbone got; None: it got none."""
    return _origins.get(model)


@contextmanager
def pretrained_weights(wanted: bool) -> Iterator[None]:
    """Say whether backbones built inside get pretrained weights.

    A network that is rebuilt for prediction or to resume training must not fetch any: its weights
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
    model: ViTModelConfig, image_size: tuple[int, int] | None, in_channels: int
) -> LoadedBackbone:
    """Build the backbone of a run's section `model` and load its weights, as create_backbone says.

    Args:
        model: what a repository of the hub says is part of it already.
        image_size: (H, W) in pixels; None: any multiple of the patch.
        in_channels: of the images.
    """
    size = None if is_timm(model.backbone) else model.backbone_size
    name, path = timm_name(model.backbone, size), model.checkpoint_path
    arguments = model.backbone_arguments
    if _weights_wanted.get() and path:
        arguments = arguments_for(name, Path(path), arguments, patch_size=model.vit_patch_size)
    vit = build_timm(name, image_size, in_channels, patch_size=model.vit_patch_size, more=arguments)
    edge = patch_size_of(vit)
    if image_size is not None:
        check_image_size(name, image_size, edge)
    if _weights_wanted.get():
        if not path:
            require_published(model.backbone, size)
        _check_channels(vit, name, in_channels)
        coverage = _loaded(vit, name, model)
        if arguments.given():
            built = f"built with {argument_text(arguments)}"
            coverage = replace(coverage, notes=(*coverage.notes, built))
        _coverages[vit] = coverage
    return LoadedBackbone(vit, edge, name)


def _loaded(vit: nn.Module, name: str, model: ViTModelConfig) -> Coverage:
    """Load the weights of a file, or the published ones; return what they brought."""
    given = model.position_grid
    stated = None if given is None else (given[0], given[1])
    grid = FileGrid(stated, square=not model.checkpoint_path)
    if model.checkpoint_path:
        path, share = Path(model.checkpoint_path), model.expected_coverage
        return load_backbone_weights(vit, path, share, key=model.checkpoint_key, grid=grid)
    file, path = published_weights(name, model.repository)
    _origins[vit] = origin_record(file, path)
    return replace(load_backbone_weights(vit, path, grid=grid), file=file.title)


def _check_channels(model: nn.Module, name: str, channels: int) -> None:
    if channels != RGB and not class_of(model).any_channels:
        raise ModelError(
            f"The weights of {name} were trained on {RGB} channels and cannot be adapted to "
            f"{channels}.",
            fix="images of 3 channels, or of 1 (a run repeats it), another backbone, or "
            "model.pretrained: false.",
        )
