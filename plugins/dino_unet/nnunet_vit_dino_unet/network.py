"""A ViT, a detail branch beside it and a U-Net decoder behind both.

After Dino U-Net (https://arxiv.org/abs/2508.20909) and ViT-Adapter
(https://arxiv.org/abs/2205.08534).
"""

from torch import Tensor, nn

from nnunet_vit.modeling.backbone import ViTBackbone, evenly_spaced
from nnunet_vit_dino_unet import DinoUNetOptions
from nnunet_vit_dino_unet.decoder import UNetDecoder
from nnunet_vit_dino_unet.detail import EXCHANGED, DetailBranch, level_sizes
from nnunet_vit_dino_unet.exchange import Extractor, Injector

STAGES = 4  # of the exchange, at equal distances in the ViT's depth


class DinoUNet(nn.Module):
    """Backbone, detail branch, their exchange, decoder.

    Args:
        backbone: built, loaded and tuned.
        options: as the run file says.
        num_classes: channels of the logits.
        in_channels: of the images.
        deep_supervision: return logits of the coarser levels too.
    """

    def __init__(
        self,
        backbone: ViTBackbone,
        options: DinoUNetOptions,
        num_classes: int,
        in_channels: int,
        deep_supervision: bool,
    ) -> None:
        """Build it for the backbone's width, depth and patch."""
        super().__init__()
        hidden_size, both_ways = options.hidden_size, options.exchange == "both_ways"
        if both_ways:
            backbone.check_runs_by_blocks()
        self.backbone = backbone
        self.deep_supervision = deep_supervision
        # a stage without a block between it and the last one has nothing new to say
        self.layers = sorted(set(evenly_spaced(backbone.depth, STAGES)))
        self.detail = DetailBranch(in_channels, hidden_size, backbone.patch_size)
        widths = (hidden_size, backbone.embed_dim)
        self.extractors = nn.ModuleList(Extractor(*widths) for _ in self.layers)
        self.injectors = nn.ModuleList(Injector(*widths) for _ in self.layers if both_ways)
        self.decoder = UNetDecoder(self.detail.widths, num_classes)

    def forward(self, images: Tensor) -> Tensor | list[Tensor]:
        """Map images (B, C, H, W) to logits (B, num_classes, H, W), or a list of them.

        Shapes: the list's further levels have 8, 4, 2 and 1 place per patch and edge (patch 8: 4,
        2 and 1).
        """
        sizes = level_sizes((images.shape[-2], images.shape[-1]), self.backbone.patch_size)
        levels = self.detail(images, sizes)
        finer, exchanged = levels[:-EXCHANGED], levels[-EXCHANGED:]
        exchange = self._both_ways if self.injectors else self._one_way
        logits: list[Tensor] = self.decoder([*finer, *exchange(images, exchanged)])
        return logits if self.deep_supervision else logits[0]

    def _one_way(self, images: Tensor, levels: list[Tensor]) -> list[Tensor]:
        """Let the detail read the ViT, which never hears of it: frozen, it needs no backward."""
        maps = self.backbone.feature_maps(images, self.layers)
        for extract, features in zip(self.extractors, maps, strict=True):
            levels = extract(levels, features)
        return levels

    def _both_ways(self, images: Tensor, levels: list[Tensor]) -> list[Tensor]:
        """Before each stage's blocks the ViT reads the detail; the detail reads what they give."""
        tokens, start = self.backbone.embed(images), 0
        for inject, extract, last in zip(self.injectors, self.extractors, self.layers, strict=True):
            tokens = tokens.with_maps(inject(tokens.maps, levels))
            tokens, start = self.backbone.run_blocks(tokens, start, last + 1), last + 1
            levels = extract(levels, self.backbone.normalized(tokens).maps)
        return levels
