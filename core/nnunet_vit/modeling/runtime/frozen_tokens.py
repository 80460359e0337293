"""What is kept of a backbone whose last blocks are trained: the tokens before them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from torch import Tensor

from nnunet_vit.modeling.backbone import ViTBackbone
from nnunet_vit.modeling.runtime.backbone_watch import Call
from nnunet_vit.modeling.runtime.frozen_maps import WITH_PREFIX
from nnunet_vit.modeling.tokens import Tokens

if TYPE_CHECKING:
    from nnunet_vit.modeling.runtime.frozen_part import Features


class FrozenTokens:
    """The tokens after frozen blocks by their numbers, without the last norm, which is trained."""

    def __init__(self, backbone: ViTBackbone, calls: Sequence[Call], first: int) -> None:
        """Keep those after the frozen blocks that are asked for, and before block `first`."""
        self.backbone, self.first = backbone, first
        asked = {layer % backbone.depth for call in calls for layer in call.layers}
        self.layers = sorted({layer for layer in asked if layer < first} | {first - 1})
        self._frame: Tokens | None = None

    def compute(self, images: Tensor) -> dict[str, Tensor]:
        """Return them for images (B, C, H, W), each (B, N, embed_dim)."""
        tokens, start, found = self.backbone.embed(images), 0, {}
        self._frame = replace(tokens, values=tokens.values[:0])  # the same for all images
        for layer in self.layers:
            tokens, start = self.backbone.run_blocks(tokens, start, layer + 1), layer + 1
            found[str(layer)] = tokens.values
        return found

    def answer(self, kept: Mapping[str, Tensor], call: Call) -> "Features":
        """Run what follows the frozen blocks, the norm too."""
        wanted = [layer % self.backbone.depth for layer in call.layers]
        found = {layer: self._framed(kept[str(layer)]) for layer in self.layers}
        tokens, start = found[self.first - 1], self.first
        for layer in sorted(layer for layer in set(wanted) if layer >= self.first):
            tokens, start = self.backbone.run_blocks(tokens, start, layer + 1), layer + 1
            found[layer] = tokens
        shown = [self.backbone.normalized(found[layer]) for layer in wanted]
        maps = [tokens.maps.contiguous() for tokens in shown]  # as timm's are, to the last bit
        if call.method != WITH_PREFIX:
            return maps
        return [(each, tokens.values[:, : tokens.prefix])
                for each, tokens in zip(maps, shown, strict=True)]  # fmt: skip

    def mirrored(self, name: str, value: Tensor, axis: int) -> Tensor:
        """Return the tokens of patches in the places of the mirrored image."""
        tokens = self._framed(value)
        return tokens.with_maps(tokens.maps.flip(axis)).values

    def _framed(self, values: Tensor) -> Tokens:
        assert self._frame is not None  # images were computed before anything was kept
        return replace(self._frame, values=values)
