"""The part of a backbone that no step changes: what it gives is kept, what follows runs again."""

import re
from collections.abc import Mapping, Sequence
from typing import Protocol, TypeAlias

from torch import Tensor

from nnunet_vit.modeling.backbone import ViTBackbone
from nnunet_vit.modeling.runtime.asked_features import refused
from nnunet_vit.modeling.runtime.backbone_watch import Call
from nnunet_vit.modeling.runtime.frozen_maps import FrozenMaps
from nnunet_vit.modeling.runtime.frozen_tokens import FrozenTokens

IN_BLOCK = re.compile(r"blocks\.(\d+)\.")
NORM = "norm."
Features: TypeAlias = Sequence[Tensor | tuple[Tensor, Tensor]]


class FrozenPart(Protocol):
    """Computes what is kept of images, and answers the head's calls from it."""

    def compute(self, images: Tensor) -> dict[str, Tensor]:
        """Return what is kept of images (B, C, H, W) by name, each (B, …)."""

    def answer(self, kept: Mapping[str, Tensor], call: Call) -> Features:
        """Return what the backbone would return for a call."""

    def mirrored(self, name: str, value: Tensor, axis: int) -> Tensor:
        """Return what is kept under a name, (B, …), mirrored along the image's axis -2 or -1."""


def frozen_part(backbone: ViTBackbone, calls: Sequence[Call]) -> FrozenPart:
    """Return the frozen part of a backbone that is asked for these maps.

    Raises:
        ConfigError: all of it is trained, or it has adapters; or it is trained in part and cannot
            be run block by block.
    """
    named = backbone.model.named_parameters()
    trained = [name for name, parameter in named if parameter.requires_grad]
    if not trained:
        return FrozenMaps(backbone, calls)
    blocks = [int(match[1]) for match in map(IN_BLOCK.match, trained) if match]
    others = [name for name in trained if not IN_BLOCK.match(name) and not name.startswith(NORM)]
    first = min(blocks, default=backbone.depth)
    if others or not first:
        raise refused(
            f"the training changes the backbone from its beginning ({(others or trained)[0]})"
        )
    backbone.check_runs_by_blocks()
    return FrozenTokens(backbone, calls, first)
