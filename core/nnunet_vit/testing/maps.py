"""Backbones for tests of decoders: their feature maps are what the test sets, or noise."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Maps(nn.Module):
    """What heads use of a backbone, without a ViT.

    Attributes:
        patch_size: pixels along a patch's edge.
        embed_dim: channels of each map.
        depth: number of blocks that it seems to have.
        layers: what feature_maps was asked for last.
    """

    prefix_tokens = 0

    def __init__(self, patch_size: int, embed_dim: int, depth: int = 12) -> None:
        """Take the three numbers that decoders are built for."""
        super().__init__()
        self.patch_size, self.embed_dim, self.depth = patch_size, embed_dim, depth
        self.layers: list[int] = []

    def feature_maps(self, images: Tensor, layers: Sequence[int]) -> list[Tensor]:
        """Return a map (B, embed_dim, rows, columns) per layer."""
        assert all(-self.depth <= layer < self.depth for layer in layers)
        self.layers = list(layers)
        return self.maps_for(images)

    def maps_for(self, images: Tensor) -> list[Tensor]:
        """Return a map for each of self.layers."""
        raise NotImplementedError


class NoiseMaps(Maps):
    """A backbone of any patch and depth whose maps are noise, new ones in each pass."""

    def __init__(
        self, patch_size: int, depth: int = 12, embed_dim: int = 6, scale: float = 1.0
    ) -> None:
        """Draw from a normal distribution; scale is its standard deviation."""
        super().__init__(patch_size, embed_dim, depth)
        self.scale = scale

    def maps_for(self, images: Tensor) -> list[Tensor]:
        """Return maps of the images' grid of patches."""
        rows, columns = (edge // self.patch_size for edge in images.shape[-2:])
        size = (len(images), self.embed_dim, rows, columns)
        return [self.scale * torch.randn(size) for _ in self.layers]


class GivenMaps(Maps):
    """A backbone whose maps are given one by one, whatever the images.

    Attributes:
        maps: what feature_maps returns.
    """

    def __init__(self, patch_size: int, maps: Sequence[Tensor], depth: int = 12) -> None:
        """Take maps (B, embed_dim, rows, columns) in the order in which the head asks for them."""
        super().__init__(patch_size, maps[0].shape[1], depth)
        self.maps = list(maps)

    def maps_for(self, images: Tensor) -> list[Tensor]:
        """Return what was given."""
        return list(self.maps)


class SetMaps(Maps):
    """A backbone whose maps are what the test sets, the same at each level.

    Attributes:
        maps: (1, embed_dim, rows, columns), zeros at first.
    """

    def __init__(self, patch_size: int, rows: int, columns: int, embed_dim: int = 4) -> None:
        """Take the grid of patches; patch_size is their edge in pixels."""
        super().__init__(patch_size, embed_dim)
        self.maps = torch.zeros(1, embed_dim, rows, columns)

    def maps_for(self, images: Tensor) -> list[Tensor]:
        """Return the maps once per layer, whatever the images."""
        return [self.maps for _ in self.layers]
