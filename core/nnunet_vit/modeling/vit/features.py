"""The feature maps of a timm ViT's blocks."""

from collections.abc import Sequence

from torch import Tensor, nn

from nnunet_vit.config.patch_multiples import is_multiple
from nnunet_vit.modeling.vit.classes import maps_of, patch_size_of


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
    wanted = checked_blocks(model, input_tensor, indices)
    ordered = sorted(set(wanted))  # timm returns maps by depth, whatever the order asked for
    maps = maps_of(model, input_tensor, ordered)
    return [maps[ordered.index(index)] for index in wanted]


def checked_blocks(
    model: nn.Module, images: Tensor, indices: int | Sequence[int] | None
) -> list[int]:
    """Return the numbers of blocks, counted from the first.

    Raises:
        ValueError: H or W is no multiple of the patch, or a block that does not exist.
    """
    patch, depth = patch_size_of(model), len(model.blocks)  # type: ignore[arg-type]
    if not is_multiple(images.shape[-2:], patch):
        raise ValueError(
            f"images of {tuple(images.shape[-2:])} pixels: no multiple of the patch, {patch}"
        )
    if indices is None:
        indices = depth
    if isinstance(indices, int):
        indices = range(-indices, 0)
    if not indices or any(not -depth <= index < depth for index in indices):
        raise ValueError(f"blocks {list(indices)} asked for; there are 0 to {depth - 1}")
    return [index % depth for index in indices]
