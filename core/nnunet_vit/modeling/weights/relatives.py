"""Which known backbone has exactly the tensors of a file, to be named in place of one that has not.

Networks are built without memory, one block deep first, and within a few seconds.
"""

import difflib
import time
from collections.abc import Iterator

import timm
import torch
from torch import Tensor, nn

from nnunet_vit.backbones import TIMM_SUPPORTED, own_families
from nnunet_vit.config.backbone_arguments import BackboneArguments
from nnunet_vit.errors import ConfigError
from nnunet_vit.files.json_file import JsonMapping
from nnunet_vit.modeling.vit.arguments import NO_ARGUMENTS, argument_text
from nnunet_vit.modeling.vit.timm_models import build_timm
from nnunet_vit.modeling.weights.names.extra_parts import BLOCK, arguments_of_tensors
from nnunet_vit.modeling.weights.names.ignored_keys import may_be_left_over, may_be_missing
from nnunet_vit.modeling.weights.names.key_mapping import shaped_as_backbone
from nnunet_vit.modeling.weights.shapes.grids import is_square
from nnunet_vit.modeling.weights.shapes.sizes import (
    POSITIONS,
    STEM,
    can_be_resized,
    class_positions,
)

SECONDS = 4.0  # of the processor
MOST = 2  # that are named
WIDTHS = {192: "_tiny_", 384: "_small_", 768: "_base_", 1024: "_large_", 1280: "_huge_"}
TIMM = "model.backbone: timm:"
Tensors = dict[str, Tensor]


def fitting_backbones(tensors: Tensors, model: nn.Module) -> list[str]:
    """Return what to write in the run file so that the backbone has a file's tensors.

    Args:
        tensors: of the file, by its own names.
        model: the backbone that they do not fit.
    """
    until = time.process_time() + SECONDS
    found: list[str] = []
    positions = model.state_dict().get(POSITIONS)
    patches = 0 if positions is None else positions.shape[1] - (class_positions(model) or 0)
    with torch.device("meta"):
        shapes = {name: torch.empty_like(value, device="meta") for name, value in tensors.items()}
        for text, name, arguments in _candidates(shapes, model):
            of_timm = text.startswith(TIMM)
            if len(found) == MOST or (found and of_timm) or time.process_time() > until:
                break
            if _fits(shapes, name, arguments, patches=patches):
                found.append(text)
    return found


def _candidates(tensors: Tensors, model: nn.Module) -> Iterator[tuple[str, str, BackboneArguments]]:
    """Yield what to write, timm's name and arguments: families, arguments, then timm's names."""
    settings: JsonMapping = getattr(model, "pretrained_cfg", None) or {}
    own = str(settings.get("architecture", ""))
    known = {own}
    width, patch = _stem_words(tensors)
    for family in own_families().values():
        for size in family.sizes if family.fetched else ():
            name = family.timm_name_of(size).partition(".")[0]
            if name not in known and width in name:
                known.add(name)
                text = f"model.backbone: {family.name} with model.backbone_size: {size}"
                yield text, name, NO_ARGUMENTS
    arguments = arguments_of_tensors(tensors, model)
    if own and arguments.given():
        yield f"model.backbone_arguments: {argument_text(arguments)}", own, arguments
    others = {name for module in TIMM_SUPPORTED for name in timm.list_models(module=module)}
    for name in sorted(others - known, key=lambda name: _order(own, name, width, patch=patch)):
        yield f"{TIMM}{name}", name, NO_ARGUMENTS


def _order(own: str, name: str, width: str, *, patch: str) -> tuple[bool, bool, bool, float, str]:
    """Those that a file's stem speaks for come first, and plain names: many have another beside."""
    likeness = difflib.SequenceMatcher(None, own, name).ratio()
    return patch not in name, width not in name, not name.startswith("vit_"), -likeness, name


def _stem_words(tensors: Tensors) -> tuple[str, str]:
    """Return what timm's names say of a file's width and patch, or nothing."""
    stem = next((value for value in tensors.values() if value.ndim == 4), None)
    if stem is None:
        return "", ""
    return WIDTHS.get(stem.shape[0], ""), f"patch{stem.shape[2]}_"


def _fits(tensors: Tensors, name: str, arguments: BackboneArguments, *, patches: int) -> bool:
    """Tell whether a network has a file's tensors: looked at with one block, then with all."""
    first = {
        name: value
        for name, value in tensors.items()
        if not (found := BLOCK.search(name)) or found[1] == "0"
    }
    shallow = BackboneArguments(**{**arguments.given(), "depth": 1})
    try:
        return _has(first, build_timm(name, None, 3, more=shallow), patches) and _has(
            tensors, build_timm(name, None, 3, more=arguments), patches
        )
    except ConfigError:  # it does not take these arguments
        return False


def _has(tensors: Tensors, model: nn.Module, patches: int) -> bool:
    own, named = model.state_dict(), shaped_as_backbone(tensors, model)
    if any(name not in named and not may_be_missing(name) for name in own):
        return False
    return all(
        may_be_left_over(name, tensor, own)
        if name not in own
        else tensor.shape == own[name].shape
        or _is_resizable(name, tensor, own[name], model=model, patches=patches)
        for name, tensor in named.items()
    )


def _is_resizable(
    name: str, tensor: Tensor, own: Tensor, *, model: nn.Module, patches: int
) -> bool:
    if name == STEM or not can_be_resized(name, tensor, own):
        return False
    count = tensor.shape[1] - (class_positions(model) or 0)
    return name != POSITIONS or count == patches or is_square(count)
