"""The backbone that heads build on, and the plain functions of the project's first plan."""

from collections.abc import Sequence
from dataclasses import replace

from torch import Tensor, nn

from nnunet_vit.backbones import is_timm, own_families
from nnunet_vit.config.backbone_arguments import arguments_of
from nnunet_vit.config.models import ViTModelConfig, ViTnnUNetConfig
from nnunet_vit.errors import ConfigError
from nnunet_vit.files.json_file import JsonMapping, JsonObject
from nnunet_vit.modeling.loading import (
    coverage_of,
    load_backbone,
    pretrained_weights,
    weights_wanted,
)
from nnunet_vit.modeling.tokens import Tokens
from nnunet_vit.modeling.vit.blocks import additive_mask, check_runs_by_blocks, embed, run_block
from nnunet_vit.modeling.vit.classes import (
    class_of,
    maps_and_prefix_of,
    patch_size_of,
    prefix_tokens_of,
)
from nnunet_vit.modeling.vit.features import checked_blocks, get_vit_features
from nnunet_vit.modeling.vit.hub_network import as_repository_says
from nnunet_vit.modeling.weights import Coverage

__all__ = [
    "MODEL_CONFIGS",
    "ViTBackbone",
    "create_backbone",
    "get_vit_features",
    "pretrained_weights",
    "vits_of",
]

MODEL_CONFIGS: dict[str, JsonObject] = {
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


def create_backbone(
    model_name: str = "dinov3",
    model_size: str | None = None,
    checkpoint_path: str | None = None,
    image_size: tuple[int, int] | None = None,
    in_channels: int = 3,
    patch_size: int | None = None,
    expected_coverage: float = 1.0,
    checkpoint_key: str | None = None,
    backbone_arguments: JsonMapping | None = None,
    position_grid: tuple[int, int] | None = None,
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
        checkpoint_key: which of several networks in the file, by its mapping or prefix; None: the
            averaged one.
        backbone_arguments: in which the network differs from its timm name, as in a run file; a
            snapshot's config.json adds its own.
        position_grid: (H, W) in patches that the file's positions were made for; None: docs/weights
            says how it is told.

    Returns:
        The model, the edge of its patches in pixels, and its timm name.

    Raises:
        ConfigError: unknown family, size or model; a patch that cannot be changed; an image size
            that the patch does not divide.
        ModelError: the weights cannot be had or do not fit.
    """
    run = ViTnnUNetConfig(
        model=ViTModelConfig(
            backbone=model_name,
            backbone_size=None if is_timm(model_name) else model_size,
            checkpoint_path=checkpoint_path or "",
            pretrained=weights_wanted(),
            vit_patch_size=patch_size,
            expected_coverage=expected_coverage,
            checkpoint_key=checkpoint_key,
            backbone_arguments=arguments_of(backbone_arguments or {}),
            position_grid=None if position_grid is None else list(position_grid),
        )
    )
    loaded = load_backbone(as_repository_says(run).model, image_size, in_channels)
    return loaded.model, loaded.patch_size, loaded.timm_name


class ViTBackbone(nn.Module):
    """A ViT as heads see it: built, loaded and tuned.

    Attributes:
        embed_dim: channels of every feature map.
        depth: number of blocks.
        patch_size: edge of a patch, pixels; the stride of every feature map.
        prefix_tokens: number of tokens that stand for no patch.
        coverage: what the pretrained weights brought; None for random weights.
    """

    def __init__(self, model: nn.Module) -> None:
        """Wrap a timm ViT."""
        super().__init__()
        self.model = model
        self.coverage: Coverage | None = coverage_of(model)
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

    def feature_maps_and_prefix(
        self, images: Tensor, layers: Sequence[int]
    ) -> list[tuple[Tensor, Tensor]]:
        """Return the feature maps of some blocks, each with the tokens that stand for no patch.

        Shapes: maps as feature_maps; tokens (B, prefix_tokens, embed_dim), possibly none. The first
        is the class token, where there is one; registers follow.
        """
        wanted = checked_blocks(self.model, images, layers)
        ordered = sorted(set(wanted))
        pairs = maps_and_prefix_of(self.model, images, ordered)
        return [pairs[ordered.index(index)] for index in wanted]

    def check_runs_by_blocks(self) -> None:
        """Refuse a ViT that embed and run_blocks cannot serve: for heads that need them, at once.

        Raises:
            ConfigError: timm's class cannot be run block by block.
        """
        check_runs_by_blocks(self.model)

    def embed(self, images: Tensor) -> Tokens:
        """Return the tokens of images (B, C, H, W) before the first block.

        Raises:
            ConfigError: timm's class cannot be run block by block.
        """
        return embed(self.model, images)

    def run_blocks(
        self, tokens: Tokens, start: int, stop: int, attention_mask: Tensor | None = None
    ) -> Tokens:
        """Return the tokens after the blocks from start up to, and without, stop.

        Shapes: attention_mask (B or 1, N, N), true where the token of a row may look at that of a
        column, N counts the prefix, the patches and what was added; None: everywhere.

        Raises:
            ValueError: blocks that do not exist, or a mask of another shape.
        """
        if not 0 <= start <= stop <= self.depth:
            raise ValueError(f"blocks from {start} to {stop}; allowed: 0 to {self.depth}, in order")
        mask = None
        if attention_mask is not None:
            mask = additive_mask(attention_mask, tokens.values)
        for number in range(start, stop):
            tokens = replace(tokens, values=run_block(self.model, number, tokens, mask=mask))
        return tokens

    def normalized(self, tokens: Tokens) -> Tokens:
        """Return tokens as feature_maps shows them: through the ViT's last norm."""
        return replace(tokens, values=self.model.norm(tokens.values))  # type: ignore[operator]

    def forward(self, images: Tensor) -> Tensor:
        """Return the last block's feature map, (B, embed_dim, H / patch_size, W / patch_size)."""
        return self.feature_maps(images, [-1])[0]


def backbone_of(network: nn.Module) -> ViTBackbone | None:
    """Return the backbone that the head was given, or None where it built one of its own."""
    found = (module for module in network.modules() if isinstance(module, ViTBackbone))
    return next(found, None)


def evenly_spaced(depth: int, count: int) -> list[int]:
    """Return that many block numbers that end with the last; shallow ViTs give some twice."""
    return [max(0, depth * step // count - 1) for step in range(1, count + 1)]


def vits_of(network: nn.Module) -> list[nn.Module]:
    """Return the timm ViTs whose features a network segments, each once and none inside another.

    That is the model of its ViTBackbone; a head that was given none may have built some itself.
    Other networks of timm that a head brings are no ViTs and are left out.
    """
    given = [part.model for part in network.modules() if isinstance(part, ViTBackbone)]
    found: list[nn.Module] = []
    inside: set[int] = set()
    for part in given or filter(_is_vit, network.modules()):  # the outer of nested ones comes first
        if id(part) not in inside:
            found.append(part)
            inside.update(id(inner) for inner in part.modules())
    return found


def _is_vit(module: nn.Module) -> bool:
    if not callable(getattr(module, "forward_intermediates", None)):
        return False
    try:
        class_of(module)
    except ConfigError:
        return False
    return True
