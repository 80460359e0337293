"""The backbone that heads build on, and the plain functions of the project's first plan."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from nnunet_vit.backbones import is_timm, own_families, timm_name
from nnunet_vit.modeling.published import published_weights, require_published
from nnunet_vit.modeling.timm_classes import maps_of, patch_size_of, prefix_tokens_of
from nnunet_vit.modeling.timm_models import build_timm, check_image_size
from nnunet_vit.modeling.weights import Coverage, load_backbone_weights

MODEL_CONFIGS: dict[str, dict[str, Any]] = {
    name: {
        "timm_name": family.timm_name,
        "timm_names": {size: family.timm_name_of(size) for size in family.sizes},
        "patch_size": family.patch_size,
        "patch_sizes": {size: family.patch_size_of(size) for size in family.sizes},
        "sizes": family.sizes,
        "pretrained": family.fetched,
    }
    for name, family in own_families().items()
}

_weights_wanted: ContextVar[bool] = ContextVar("weights_wanted", default=True)


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
    """A timm ViT, and what is known of how it came about.

    Attributes:
        model: the ViT.
        patch_size: edge of a patch, pixels.
        timm_name: with the tag of the weights, if there is one.
        coverage: what a weights file brought; None for random weights.
    """

    model: nn.Module
    patch_size: int
    timm_name: str
    coverage: Coverage | None


def create_backbone(
    model_name: str = "dinov3",
    model_size: str | None = None,
    checkpoint_path: str | None = None,
    image_size: tuple[int, int] | None = None,
    in_channels: int = 3,
    patch_size: int | None = None,
    expected_coverage: float = 1.0,
) -> tuple[nn.Module, int, str]:
    """Create a timm ViT with its pretrained weights.

    Args:
        model_name: a registered family, or timm:<name>.
        model_size: a size of the family; None: its default.
        checkpoint_path: a weights file, or a folder of the Hugging Face hub; empty or None: the
            published weights.
        image_size: (H, W) in pixels; None: any multiple of the patch.
        in_channels: of the images.
        patch_size: edge of a patch, pixels; None: as it was pretrained.
        expected_coverage: share of the backbone's parameters that the weights must bring.

    Returns:
        The model, the edge of its patches in pixels, and its timm name.

    Raises:
        ConfigError: unknown family, size or model; a patch that cannot be changed; an image size
            that the patch does not divide.
        ModelError: the weights cannot be had or do not fit.
    """
    loaded = load_backbone(
        model_name,
        model_size,
        checkpoint_path,
        image_size,
        in_channels,
        patch_size,
        expected_coverage,
    )
    return loaded.model, loaded.patch_size, loaded.timm_name


def load_backbone(
    model_name: str,
    model_size: str | None,
    checkpoint_path: str | None,
    image_size: tuple[int, int] | None,
    in_channels: int,
    patch_size: int | None = None,
    expected_coverage: float = 1.0,
) -> LoadedBackbone:
    """Do what create_backbone does, and tell what the weights brought."""
    size = None if is_timm(model_name) else model_size
    name = timm_name(model_name, size)
    model = build_timm(name, image_size, in_channels, patch_size)
    edge = patch_size_of(model)
    if image_size is not None:
        check_image_size(name, image_size, edge)
    coverage = None
    if _weights_wanted.get():
        if checkpoint_path:
            file = Path(checkpoint_path)
        else:
            require_published(model_name, size)
            file = published_weights(name)
        coverage = load_backbone_weights(model, file, expected_coverage)
    return LoadedBackbone(model, edge, name, coverage)


def get_vit_features(
    model: nn.Module, input_tensor: Tensor, indices: int | Sequence[int] | None = None
) -> list[Tensor]:
    """Return the feature maps of a timm ViT's blocks, in the order asked for.

    Args:
        model: as create_backbone returns it.
        input_tensor: images (B, C, H, W).
        indices: blocks, negative ones from the last; an int: that many last ones; None: all.

    Shapes: each map is (B, embed_dim, H / patch_size, W / patch_size).

    Raises:
        ValueError: H or W is no multiple of the patch, or a block that does not exist.
    """
    patch, depth = patch_size_of(model), len(model.blocks)  # type: ignore[arg-type]
    if any(edge % patch for edge in input_tensor.shape[-2:]):
        raise ValueError(
            f"images of {tuple(input_tensor.shape[-2:])} pixels: no multiple of the patch, {patch}"
        )
    if indices is None:
        indices = depth
    if isinstance(indices, int):
        indices = range(-indices, 0)
    if not indices or any(not -depth <= index < depth for index in indices):
        raise ValueError(f"blocks {list(indices)} asked for; there are 0 to {depth - 1}")
    wanted = [index % depth for index in indices]
    ordered = sorted(set(wanted))  # timm returns maps by depth, whatever the order asked for
    maps = maps_of(model, input_tensor, ordered)
    return [maps[ordered.index(index)] for index in wanted]


class ViTBackbone(nn.Module):
    """A ViT as heads see it: built, loaded and tuned.

    Attributes:
        embed_dim: channels of every feature map.
        depth: number of blocks.
        patch_size: edge of a patch, pixels; the stride of every feature map.
        prefix_tokens: number of tokens that stand for no patch.
        coverage: what the pretrained weights brought; None for random weights.
    """

    def __init__(self, model: nn.Module, coverage: Coverage | None = None) -> None:
        """Wrap a timm ViT."""
        super().__init__()
        self.model = model
        self.coverage = coverage
        self.embed_dim = int(model.embed_dim)  # type: ignore[arg-type]
        self.depth = len(model.blocks)  # type: ignore[arg-type]
        self.patch_size = patch_size_of(model)
        self.prefix_tokens = prefix_tokens_of(model)

    def feature_maps(self, images: Tensor, layers: Sequence[int]) -> list[Tensor]:
        """Return the feature maps of some blocks, in the order asked for.

        Args:
            images: (B, C, H, W), H and W multiples of patch_size.
            layers: block numbers, negative ones counted from the last.

        Shapes: each map is (B, embed_dim, H / patch_size, W / patch_size).
        """
        return get_vit_features(self.model, images, layers)

    def forward(self, images: Tensor) -> Tensor:
        """Return the last block's feature map, (B, embed_dim, H / patch_size, W / patch_size)."""
        return self.feature_maps(images, [-1])[0]

    def set_gradient_checkpointing(self, enabled: bool) -> None:
        """Keep the blocks' inputs alone in training and compute the rest again, or do not."""
        self.model.set_grad_checkpointing(enabled)  # type: ignore[operator]
