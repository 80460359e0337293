"""The networks of several folds as one network."""

from collections.abc import Sequence

from torch import Tensor, nn

from nnunet_vit.modeling.network import ViTSegmentationNetwork


class FoldsMean(nn.Module):
    """Networks whose logits are averaged, in float32 whatever the run's precision was."""

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        """Take the networks as they are, in eval mode from now on."""
        super().__init__()
        self.networks = nn.ModuleList(networks)
        self.requires_grad_(False).eval()
        for network in networks:
            if isinstance(network, ViTSegmentationNetwork):
                network.precision = "float32"

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, C, H, W) to mean logits (B, outputs, H, W)."""
        total: Tensor = self.networks[0](images)
        for network in self.networks[1:]:
            total = total + network(images)
        return total / len(self.networks) if len(self.networks) > 1 else total
