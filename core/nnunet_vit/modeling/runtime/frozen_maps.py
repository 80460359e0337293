"""What is kept of a backbone that is frozen as a whole: its feature maps."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from torch import Tensor

from nnunet_vit.modeling.backbone import ViTBackbone
from nnunet_vit.modeling.runtime.backbone_watch import Call

if TYPE_CHECKING:
    from nnunet_vit.modeling.runtime.frozen_part import Features

WITH_PREFIX = "feature_maps_and_prefix"
MAP, PREFIX = "map", "prefix"


class FrozenMaps:
    """The maps of each call, and the tokens beside them, by numbers of call and layer."""

    def __init__(self, backbone: ViTBackbone, calls: Sequence[Call]) -> None:
        """Take what is asked for."""
        self.backbone, self.calls = backbone, list(calls)

    def compute(self, images: Tensor) -> dict[str, Tensor]:
        """Return them for images (B, C, H, W), each (B, …)."""
        found: dict[str, Tensor] = {}
        for number, call in enumerate(self.calls):
            for place, features in enumerate(self._asked(images, call)):
                parts = features if isinstance(features, tuple) else (features,)
                found |= {
                    f"{number}.{place}.{kind}": part
                    for kind, part in zip((MAP, PREFIX), parts, strict=False)
                }
        return found

    def answer(self, kept: Mapping[str, Tensor], call: Call) -> "Features":
        """Return copies: heads may work in place."""
        before = [f"{self.calls.index(call)}.{place}." for place in range(len(call.layers))]
        maps = [kept[f"{name}{MAP}"].clone() for name in before]
        if call.method != WITH_PREFIX:
            return maps
        tokens = [kept[f"{name}{PREFIX}"].clone() for name in before]
        return list(zip(maps, tokens, strict=True))

    def mirrored(self, name: str, value: Tensor, axis: int) -> Tensor:
        """Return maps mirrored, and tokens that stand for no patch as they are."""
        return value.flip(axis) if name.endswith(MAP) else value

    def _asked(self, images: Tensor, call: Call) -> "Features":
        features: Features = getattr(self.backbone, call.method)(images, call.layers)
        return features
