"""Features of a network's frozen part: computed for views, and given back in training steps."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

from nnunet_vit.errors import PluginError
from nnunet_vit.modeling.network import ViTSegmentationNetwork
from nnunet_vit.modeling.runtime.asked_features import asked_features, only_backbone
from nnunet_vit.modeling.runtime.backbone_watch import Call, replaced
from nnunet_vit.modeling.runtime.frozen_part import Features, frozen_part
from nnunet_vit.modeling.runtime.mirrored_features import mirroring_error

Result = TypeVar("Result")
PROBED = 2  # images: norms over a batch want several


@dataclass(frozen=True)
class Kept:
    """What is kept of one image under a name.

    Attributes:
        shape: without the batch.
        computed: the type that it was computed in, which the head gets.
        stored: the type that it is kept in.
    """

    shape: tuple[int, ...]
    computed: torch.dtype
    stored: torch.dtype

    @property
    def bytes(self) -> int:
        """Of one image."""
        return torch.Size(self.shape).numel() * self.stored.itemsize


class FeatureTap:
    """Stands between a head and its backbone, in training steps that are served and nowhere else.

    Attributes:
        calls: what the head asks for.
        kept: what is kept of an image, by name.
    """

    def __init__(
        self, network: ViTSegmentationNetwork, size: Sequence[int], dtype: torch.dtype
    ) -> None:
        """Find out what the head asks for, with images of noise.

        Args:
            network: with its weights, on its device.
            size: (H, W) of the images in pixels.
            dtype: bfloat16, or float32: features stay as they were computed.

        Raises:
            ConfigError: this network's features cannot be kept.
            PluginError: the head fails.
        """
        self.network, self.backbone = network, only_backbone(network)
        self.device = next(network.parameters()).device
        shape = (PROBED, network.bridge.channels, *size)
        noise = torch.rand(shape, generator=torch.Generator().manual_seed(0))
        self._noise = images = noise.to(self.device)
        self.calls = asked_features(network, images)
        self.part = frozen_part(self.backbone, self.calls)
        self.kept: dict[str, Kept] = {
            name: Kept(tuple(value.shape[1:]), value.dtype, _stored(value.dtype, dtype))
            for name, value in self._frozen(self.part.compute, images).items()
        }

    def compute(self, images: Tensor) -> dict[str, Tensor]:
        """Return what is kept of images (B, C, H, W), each (B, …), without dropout."""
        found = self._frozen(self.part.compute, images.to(self.device, non_blocking=True))
        return {name: value.to(self.kept[name].stored) for name, value in found.items()}

    def mirroring_errors(self, axes: Sequence[int]) -> dict[int, float]:
        """Return how far mirroring before the frozen part is from mirroring after it, by axis."""

        def error(images: Tensor) -> dict[int, float]:
            return {axis: mirroring_error(self.part, images, axis) for axis in axes}

        return self._frozen(error, self._noise)

    @contextmanager
    def serving(self, features: Mapping[str, Tensor]) -> Iterator[None]:
        """Let a step have these features, as `compute` returned them; a network in eval has none.

        Raises:
            PluginError: the head asks for something else than before.
        """
        if not self.network.training:
            yield
            return
        held = {
            name: value.to(self.device, self.kept[name].computed, non_blocking=True)
            for name, value in features.items()
        }
        count = len(next(iter(held.values())))

        def answer(name: str, images: Tensor, layers: Sequence[int]) -> Features:
            call = Call(name, tuple(layers))
            if call not in self.calls or len(images) != count:
                raise PluginError(
                    f"train.feature_cache: the head asks for {name} of blocks {list(layers)} and "
                    f"{len(images)} images, and has not done so when the training began."
                )
            return self.part.answer(held, call)

        with replaced(self.backbone, answer):
            yield

    def _frozen(self, compute: Callable[[Tensor], Result], images: Tensor) -> Result:
        """Compute something of images as the network would, without dropout and gradient."""
        network, trains = self.network, self.backbone.training
        self.backbone.eval()  # dropout would make features of one view differ
        try:
            with torch.no_grad(), network.autocast(images.device):
                return compute(network.bridge(images))
        finally:
            self.backbone.train(trains)


def _stored(computed: torch.dtype, wanted: torch.dtype) -> torch.dtype:
    return torch.bfloat16 if wanted == torch.bfloat16 and computed.is_floating_point else computed
