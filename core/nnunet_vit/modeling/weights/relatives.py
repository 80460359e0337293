"""Which known backbone has exactly the tensors of a file: what to write in place of one that has not.

Networks are built without memory, one block deep first, and within a few seconds.
"""

import difflib
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import timm
import torch
from torch import Tensor, nn

from nnunet_vit.backbones import TIMM_SUPPORTED, own_families
from nnunet_vit.config.backbone_arguments import BackboneArguments
from nnunet_vit.errors import ConfigError
from nnunet_vit.modeling.timm_arguments import argument_text
from nnunet_vit.modeling.timm_models import build_timm
from nnunet_vit.modeling.weights.choosing import best_reading
from nnunet_vit.modeling.weights.harmless import may_be_left_over, may_be_missing
from nnunet_vit.modeling.weights.sizes import STEM, can_be_resized

SECONDS = 4.0
MOST = 3  # that are named
BLOCK = re.compile(r"(?:^|\.)(?:blocks|layers?|resblocks)\.(\d+)\.")
Content = Mapping[object, object]


def fitting_backbones(content: Content, model: nn.Module) -> list[str]:
    """Return what to write in the run file so that the backbone has a file's tensors, best first.

    Args:
        content: of the file.
        model: the backbone that it does not fit.
    """
    until = time.monotonic() + SECONDS
    shapes = _without_memory(content)
    found: list[str] = []
    with torch.device("meta"):
        for text, name, arguments in _candidates(shapes, model):
            if len(found) == MOST or time.monotonic() > until:
                break
            if _fits(shapes, name, arguments):
                found.append(text)
    return found


def _candidates(
    content: Content, model: nn.Module
) -> Iterator[tuple[str, str, BackboneArguments]]:
    settings: Any = getattr(model, "pretrained_cfg", None) or {}
    own = str(settings.get("architecture", ""))
    none = BackboneArguments()
    for family in own_families().values():
        for size in family.sizes if family.fetched else ():
            name = family.timm_name_of(size)
            if name.partition(".")[0] != own:
                yield f"model.backbone: {family.name} with model.backbone_size: {size}", name, none
    if own and (arguments := arguments_of_tensors(content, model)).given():
        yield f"model.backbone_arguments: {argument_text(arguments)}", own, arguments
    known = {name.partition(".")[0] for family in own_families().values() for name in _names(family)}
    for name in _by_likeness(own, _supported() - known - {own}):
        yield f"model.backbone: timm:{name}", name, none


def _names(family: Any) -> list[str]:  # noqa: ANN401
    return [family.timm_name_of(size) for size in family.sizes if family.fetched]


def _supported() -> set[str]:
    return {name for module in TIMM_SUPPORTED for name in timm.list_models(module=module)}


def _by_likeness(own: str, names: Iterable[str]) -> list[str]:
    return sorted(names, key=lambda name: -difflib.SequenceMatcher(None, own, name).ratio())


def arguments_of_tensors(content: Content, model: nn.Module) -> BackboneArguments:
    """Return the arguments with which a backbone has parts that only the file has."""
    own = model.state_dict()
    reading = best_reading(content, model)
    extra = {name: value for name, value in reading.tensors.items()} if reading else {}
    extra = {name: value for name, value in extra.items() if name not in own}
    given: dict[str, Any] = {}
    registers = next((extra[name] for name in ("reg_token", "register_tokens") if name in extra), None)
    if registers is not None and registers.ndim == 3:
        given["reg_tokens"] = int(registers.shape[1])
    if any(re.search(r"\.(ls[12]\.gamma|gamma_[12])$", name) for name in extra):
        given["init_values"] = 1e-5
    if any(name.endswith((".q_norm.weight", ".k_norm.weight")) for name in extra):
        given["qk_norm"] = True
    if any(name.endswith(".qkv.bias") for name in extra):
        given["qkv_bias"] = True
    blocks = [int(match[1]) for name in reading.tensors if (match := BLOCK.search(name))] if reading else []
    depth = max(blocks, default=-1) + 1
    if depth > len(model.blocks):  # type: ignore[arg-type]
        given["depth"] = depth
    return BackboneArguments(**given)


def _fits(content: Content, name: str, arguments: BackboneArguments) -> bool:
    """Tell whether a network has a file's tensors: looked at with one block, then with all."""
    first = _of_first_block(content)
    shallow = BackboneArguments(**{**arguments.given(), "depth": 1})
    try:
        return _has(first, build_timm(name, None, 3, more=shallow)) and _has(
            content, build_timm(name, None, 3, more=arguments)
        )
    except ConfigError:  # it does not take these arguments
        return False


def _has(content: Content, model: nn.Module) -> bool:
    reading, own = best_reading(content, model), model.state_dict()
    if reading is None:
        return False
    tensors = reading.tensors
    lacking = [name for name in own if name not in tensors and not may_be_missing(name)]
    if lacking or any(
        name not in own and not may_be_left_over(name, tensor, own)
        for name, tensor in tensors.items()
    ):
        return False
    return all(
        tensors[name].shape == value.shape
        or (name != STEM and can_be_resized(name, tensors[name], value))
        for name, value in own.items()
        if name in tensors
    )


def _without_memory(content: Content) -> dict[object, object]:
    """Return the content with tensors that have a shape and no values."""
    made: dict[object, object] = {}
    for name, value in content.items():
        if isinstance(value, Tensor):
            made[name] = torch.empty(value.shape, dtype=value.dtype, device="meta")
        elif isinstance(value, Mapping):
            made[name] = _without_memory(value)
    return made


def _of_first_block(content: Content) -> dict[object, object]:
    return {
        name: _of_first_block(value) if isinstance(value, Mapping) else value
        for name, value in content.items()
        if not isinstance(name, str) or not (match := BLOCK.search(name)) or match[1] == "0"
    }
