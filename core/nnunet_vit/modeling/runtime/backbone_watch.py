"""A look at how a head uses its backbone, which changes neither of them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor

from nnunet_vit.modeling.backbone import ViTBackbone
from nnunet_vit.modeling.network import ViTSegmentationNetwork
from nnunet_vit.modeling.runtime.shared_features import METHODS
from nnunet_vit.modeling.vit.classes import class_of


@dataclass(frozen=True)
class Call:
    """A call of a backbone: the method's name, and the blocks that are asked for."""

    method: str
    layers: tuple[int, ...]


@dataclass
class Seen:
    """What was seen: the head's images, all calls, how often the ViT began."""

    images: Tensor = field(default_factory=lambda: torch.empty(0))
    calls: list[Call] = field(default_factory=list)
    starts: int = 0
    other_images: bool = False


@contextmanager
def replaced(backbone: ViTBackbone, answer: Callable[..., Any]) -> Iterator[None]:
    """Let a function answer for the backbone's methods: it gets name, images and layers."""
    for name in METHODS:
        setattr(backbone, name, partial(answer, name))
    try:
        yield
    finally:
        for name in METHODS:
            delattr(backbone, name)


@contextmanager
def watched(network: ViTSegmentationNetwork, backbone: ViTBackbone) -> Iterator[Seen]:
    """Yield what is seen of the network's steps meanwhile."""
    seen = Seen()

    def bridged(_module: object, _given: object, images: Tensor) -> None:
        seen.images = images.clone()

    def started(*_: object) -> None:
        seen.starts += 1

    def asked(name: str, images: Tensor, layers: Sequence[int]) -> object:
        seen.calls.append(Call(name, tuple(layers)))
        seen.other_images |= not torch.equal(images, seen.images)
        return getattr(ViTBackbone, name)(backbone, images, layers)

    stem = getattr(backbone.model, class_of(backbone.model).stem)
    hooks = [network.bridge.register_forward_hook(bridged), stem.register_forward_hook(started)]
    try:
        with replaced(backbone, asked):
            yield seen
    finally:
        for hook in hooks:
            hook.remove()


@contextmanager
def undisturbed(network: ViTSegmentationNetwork) -> Iterator[None]:
    """Leave modes, running statistics and random numbers as they were."""
    modes = [(module, module.training) for module in network.modules()]
    buffers = [(buffer, buffer.clone()) for buffer in network.buffers()]
    try:
        with torch.random.fork_rng():
            yield
    finally:
        for module, mode in modes:
            module.training = mode
        for buffer, before in buffers:
            buffer.copy_(before)
