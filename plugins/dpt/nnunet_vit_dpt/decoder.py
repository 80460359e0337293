"""DPT (https://arxiv.org/abs/2103.13413): maps of four strides, fused from coarse to fine."""

from torch import Tensor, nn
from torch.nn import functional

from nnunet_vit.blocks.pyramid import normalization
from nnunet_vit.modeling.backbone import ViTBackbone, evenly_spaced
from nnunet_vit_dpt import DptOptions
from nnunet_vit_dpt.reassembly import Reassembly
from nnunet_vit_dpt.tokens import LEVELS, Level, levels_of


class DptSegmentation(nn.Module):
    """Backbone, decoder, classifier.

    Args:
        backbone: built, loaded and tuned.
        num_classes: channels of the logits.
        options: as the run file says; channels are dropped before the classifier.
        deep_supervision: return logits of the coarser maps too.
    """

    def __init__(
        self, backbone: ViTBackbone, num_classes: int, options: DptOptions, deep_supervision: bool
    ) -> None:
        """Build the decoder for the backbone's width and depth."""
        super().__init__()
        self.backbone = backbone
        self.deep_supervision = deep_supervision
        hidden_size, readout = options.hidden_size, options.readout
        self.with_summary = readout != "ignore"
        self.layers = evenly_spaced(backbone.depth, LEVELS)
        self.normalizations = nn.ModuleList(nn.LayerNorm(backbone.embed_dim) for _ in self.layers)
        self.decoder = DptDecoder(backbone.embed_dim, hidden_size, readout)
        # one for all maps: none is left without a gradient where the coarser are not wanted
        self.classifier = nn.Sequential(
            nn.Conv2d(hidden_size, hidden_size, kernel_size=3, padding=1, bias=False),
            normalization(hidden_size),
            nn.ReLU(),
            nn.Dropout2d(options.dropout),
            nn.Conv2d(hidden_size, num_classes, kernel_size=1),
        )

    def forward(self, images: Tensor) -> Tensor | list[Tensor]:
        """Map images (B, C, H, W) to logits (B, num_classes, H, W), or a list of them.

        Shapes: the list's further levels have strides p/4, p/2 and p of a patch of p pixels, as far
        as they are smaller than the images.
        """
        *coarser, fused = self.decoder(self._normalized_levels(images))
        logits = self.classifier(fused)
        finest = functional.interpolate(logits, size=images.shape[-2:], mode="bilinear")
        if not self.deep_supervision:
            return finest
        pixels = images.shape[-2:].numel()  # of small patches, p/4 may be finer than they are
        smaller = (level for level in reversed(coarser) if level.shape[-2:].numel() < pixels)
        return [finest, *(self.classifier(level) for level in smaller)]

    def _normalized_levels(self, images: Tensor) -> list[Level]:
        levels = levels_of(self.backbone, images, self.layers, self.with_summary)
        return [
            (normalize(features.movedim(1, -1)).movedim(-1, 1), normalize(summary))
            for normalize, (features, summary) in zip(self.normalizations, levels, strict=True)
        ]


class DptDecoder(nn.Module):
    """Reassembly and fusion.

    Args:
        embed_dim: channels of the ViT.
        hidden_size: channels of every fused map.
        readout: project, add or ignore.
        as_published: the original alignment, for weights of its training: each doubling and the
            coarsest map then move what they show by up to half a patch. Else nothing moves.
    """

    def __init__(
        self, embed_dim: int, hidden_size: int, readout: str, as_published: bool = False
    ) -> None:
        """Build a stage per level."""
        super().__init__()
        self.reassembly = Reassembly(embed_dim, hidden_size, readout, as_published)
        self.fusions = nn.ModuleList(
            Fusion(hidden_size, first=step == 0, align_corners=as_published)
            for step in range(LEVELS)
        )

    def forward(self, levels: list[Level]) -> list[Tensor]:
        """Return the fused maps (B, hidden_size, …) at strides p, p/2, p/4 and p/8."""
        fused: list[Tensor] = []
        for fuse, features in zip(self.fusions, reversed(self.reassembly(levels)), strict=True):
            fused.append(fuse(features, fused[-1] if fused else None))
        return fused


class Fusion(nn.Module):
    """What came so far and one more map, added, refined, doubled in resolution."""

    def __init__(self, hidden_size: int, first: bool, align_corners: bool) -> None:
        """Build it; the first has nothing that came so far."""
        super().__init__()
        self.align_corners = align_corners
        self.enter = None if first else ResidualUnit(hidden_size)
        self.refine = ResidualUnit(hidden_size)
        self.project = nn.Conv2d(hidden_size, hidden_size, kernel_size=1)

    def forward(self, features: Tensor, before: Tensor | None) -> Tensor:
        """Fuse a map with the one before, both (B, hidden_size, …), to twice the resolution."""
        if self.enter is not None and before is not None:
            size = before.shape[-2:]  # one more than the map's where a stride of 2p has rounded up
            features = before + self.enter(
                functional.interpolate(features, size=size, mode="bilinear")
            )
        # the projection before the doubling gives the same as after it, at a quarter of the cost
        return functional.interpolate(
            self.project(self.refine(features)),
            scale_factor=2,
            mode="bilinear",
            align_corners=self.align_corners,
        )


class ResidualUnit(nn.Module):
    """Twice ReLU and convolution, added to the input."""

    def __init__(self, width: int) -> None:
        """Build the convolutions."""
        super().__init__()
        self.layers = nn.Sequential(
            nn.ReLU(),
            nn.Conv2d(width, width, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, width, kernel_size=3, padding=1),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Map (B, width, h, w) to the same."""
        refined: Tensor = features + self.layers(features)
        return refined
